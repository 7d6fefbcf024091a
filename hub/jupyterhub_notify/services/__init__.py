"""The service's jobs: one class for each, which gets its parts by keyword."""
