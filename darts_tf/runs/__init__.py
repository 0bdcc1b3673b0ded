"""A run: its files, its history, and the machines it is on."""
