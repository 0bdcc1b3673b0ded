"""The sources of data sets: one file each, beside what reads it."""
