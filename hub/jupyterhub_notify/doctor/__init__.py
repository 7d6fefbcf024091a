"""Examine a set-up: a hub that runs (`examination`), and its configuration (`config_file`)."""
