"""Exports of trained networks: SavedModel for TensorFlow Serving, LiteRT and ONNX."""
