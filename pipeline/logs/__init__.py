"""Readers of the logs that evaluation tools write: one value a row, as they scored it."""
