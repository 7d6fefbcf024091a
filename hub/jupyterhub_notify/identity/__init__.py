"""The identity of callers: what every provider returns, and the providers themselves.

Handlers and services import `caller`; `settings` chooses a provider by the environment.
"""
