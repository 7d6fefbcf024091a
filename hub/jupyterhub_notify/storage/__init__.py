"""What is read and written: each class gets a connection and returns models, never rows."""
