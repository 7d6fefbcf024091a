"""Queries: each class gets a connection and returns models, never rows."""
