"""What the terminal shows: figures to tables of text, one file a study."""
