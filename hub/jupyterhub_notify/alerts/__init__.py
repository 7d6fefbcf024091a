"""Alerts: what an alerting engine says of a user, and rules of our own where there is none.

`receiver` takes the webhooks of Alertmanager and Grafana; `users` finds whom an alert is about;
`rules` reads ``rules.yaml``, `evaluation` decides, `engines` ask, `actions` act, `runner` runs.
"""
