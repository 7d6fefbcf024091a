"""What the service does: one class for each job, given its parts by keyword."""
