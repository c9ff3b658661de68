"""Readers of the logs that evaluation tools write, with the score of each row."""
