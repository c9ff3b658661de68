"""Two models on the same rows."""
