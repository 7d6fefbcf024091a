"""The service's jobs: one class for each, given its parts by keyword."""
