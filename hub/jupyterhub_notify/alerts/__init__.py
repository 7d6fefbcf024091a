"""Alerts about users: from an alerting engine, or from our own rules where there is no engine.

`receiver` takes the webhooks of Alertmanager and Grafana, and `users` finds the user of an alert.
`rules` reads ``rules.yaml``, `engines` queries, `evaluation` decides, `actions` makes the calls,
and `runner` runs them all.
"""
