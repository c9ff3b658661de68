"""Figures as tables and sentences for the terminal, one file per study."""
