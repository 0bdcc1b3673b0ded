"""Side-by-side measurements: this library, a PyTorch peer and a plain TensorFlow graph."""
