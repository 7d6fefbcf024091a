"""Examines a set-up: the running hub (`examination`) and its configuration (`config_file`)."""
