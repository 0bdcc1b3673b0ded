"""Augmentation: random changes of training images, as stateless functions of pixels and a seed."""
