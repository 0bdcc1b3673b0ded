"""Keras layers and convolutions in forms that TensorFlow computes fast; see README.md."""
