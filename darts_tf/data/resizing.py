"""Resizing images to a square, before they are augmented."""

import numpy as np
import tensorflow as tf


def resize(images: tf.Tensor, size: int) -> tf.Tensor:
    """Resizes images, linearly and against aliasing.

    Args:
        images: [height, width, channels] or [batch, height, width, channels], uint8.
        size: New height and width in pixels.

    Returns:
        The images, uint8; as they are where they have the size.
    """
    if images.shape[-3:-1] == (size, size):
        return images
    images = tf.image.resize(images, (size, size), antialias=True)
    return tf.saturate_cast(tf.round(images), tf.uint8)


def resized(images: np.ndarray, size: int, at_once: int = 512) -> np.ndarray:
    """Returns arrays of images in another size; see `resize`.

    Args:
        images: Pixels, uint8 [images, height, width, channels].
        size: New height and width in pixels.
        at_once: Images that are resized together.
    """
    made = np.empty((len(images), size, size, images.shape[-1]), np.uint8)
    for begin in range(0, len(images), at_once):
        part = slice(begin, begin + at_once)
        made[part] = resize(tf.constant(images[part]), size).numpy()
    return made
