"""The queries of the database, one class for each group of tables."""
