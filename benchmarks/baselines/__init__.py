"""Networks of stock Keras beside ours, for `python -m benchmarks.worth`."""
