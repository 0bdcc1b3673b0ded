"""What all programs share: flags made from settings, help, exit status, the log of a run.

The library proper imports nothing of this folder; `trainers/`, `export/` and `benchmarks/` do.
"""
