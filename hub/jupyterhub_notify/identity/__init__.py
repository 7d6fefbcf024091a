"""Identity of callers: what every provider answers, and the providers themselves.

`caller` is what handlers and services import; `settings` chooses a provider by the environment.
"""
