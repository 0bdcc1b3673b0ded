"""Workloads, the processes that run them, and what is timed of them."""
