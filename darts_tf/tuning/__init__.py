"""Tuning: searches with other settings; and random search, the baseline of every method."""
