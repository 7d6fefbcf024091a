"""The pages at `/services/notify/`: templates, styles, scripts; `handlers/pages.py` serves them."""
