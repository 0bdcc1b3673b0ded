"""Programs: a search, and the training of what it found."""
