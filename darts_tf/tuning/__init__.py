"""Searches with other settings, and the random baseline."""
