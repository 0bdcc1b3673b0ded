"""Relaxations of the search methods that do not mix by the softmax of DARTS."""
