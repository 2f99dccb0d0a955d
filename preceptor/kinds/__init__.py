"""One file for each kind of real-world value."""
