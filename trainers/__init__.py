"""Command-line programs: search, training, tuning, random search, reports and drawings."""
