"""Image files, decoded by one set of rules inside TensorFlow's graph: `decoder` has them.

A folder of images and the signature `serving_bytes` of an export read files by the same function,
so that a model is served the pixels that it was trained on.
"""
