"""What is missing: at a hub that runs (`examination`), and in its configuration (`config_file`)."""
