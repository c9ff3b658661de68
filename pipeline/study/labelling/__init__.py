"""Rows that are labelled round by round: sheets that are filled in, by whom, and the folder that keeps them."""
