"""The first-order search as a plain TensorFlow graph without shared computation."""
