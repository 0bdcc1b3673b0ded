"""Programs: a search, the training of what it found, and what chooses among searches."""
