"""Hostile inputs of every kind against one real server: ``python -m tests.attack``."""
