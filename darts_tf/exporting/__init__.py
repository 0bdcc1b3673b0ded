"""Trained networks as SavedModel, LiteRT and ONNX."""
