"""What is read and written: each class gets a session and returns models, never rows."""
