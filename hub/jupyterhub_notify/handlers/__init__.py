"""The HTTP routes: each translates a request into one call of a service."""
