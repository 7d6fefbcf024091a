"""Alembic's migrations, in the package so that every wheel has them."""
