"""A stand-in for TensorFlow Serving, and its clients."""
