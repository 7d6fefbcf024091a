"""The open event streams of this process, and what tells them that something changed."""
