"""Names that programs imported from here before ``jupyter_notify`` was a package of its own."""
