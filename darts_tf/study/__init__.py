"""What recorded searches tell: the stops of criteria, replayed on their histories."""
