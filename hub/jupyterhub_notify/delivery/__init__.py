"""Pushes broadcasts to running servers whose labs do not ask the service by themselves."""
