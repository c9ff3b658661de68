"""Rows to scores: in blocks, on all cores, kept in memory or on disk."""
