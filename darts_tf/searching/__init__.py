"""The search and its stopping criteria."""
