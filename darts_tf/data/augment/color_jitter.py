"""Colour jitter: brightness, contrast, saturation and hue of each image, in an order of its own.

The strengths are those of DARTS's training on ImageNet.
"""

import tensorflow as tf

from darts_tf.data.augment.image_ops import brightness, color, contrast
from darts_tf.data.augment.per_image import apply_each

STRENGTH = 0.4
HUE = 0.2


def hue(images: tf.Tensor, turns: tf.Tensor) -> tf.Tensor:
    """Turns the hue of each image about the color circle.

    Args:
        images: uint8 [batch, height, width, channels]; grey ones have no hue and stay.
        turns: Parts of a full turn, -1 to 1, float32 [batch].

    Returns:
        The images, uint8.
    """
    if images.shape[-1] == 1:
        return images
    angle, *others = tf.unstack(tf.image.rgb_to_hsv(tf.cast(images, tf.float32)), axis=-1)
    turned = tf.math.floormod(angle + turns[:, None, None], 1.0)
    return tf.cast(tf.round(tf.image.hsv_to_rgb(tf.stack([turned, *others], axis=-1))), tf.uint8)


def jitter_factors(number: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Draws what `color_jitter` does to each image.

    Args:
        number: How many images there are, int32.
        seed: int32 [2].

    Returns:
        For each image, the order of brightness 0, contrast 1, saturation 2 and hue 3, every order
        equally likely, int32 [number, 4]; and the magnitude of each of these four, in this
        numbering: factors uniform from 0.6 to 1.4, and a turn uniform from -0.2 to 0.2, float32
        [number, 4].
    """
    order_seed, factor_seed = tf.unstack(tf.random.split(seed, 2))
    order = tf.argsort(tf.random.stateless_uniform([number, 4], order_seed), axis=1)
    middle = tf.constant([1.0, 1.0, 1.0, 0.0])
    reach = tf.constant([STRENGTH, STRENGTH, STRENGTH, HUE])
    uniform = tf.random.stateless_uniform([number, 4], factor_seed, -1.0, 1.0)
    return order, middle + reach * uniform


def color_jitter(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Changes brightness, contrast, saturation and hue of each image.

    Args:
        images: uint8 [batch, height, width, channels].
        seed: int32 [2].

    Returns:
        The images, uint8.
    """
    order, magnitudes = jitter_factors(tf.shape(images)[0], seed)
    for place in range(4):
        kinds = order[:, place]
        strengths = tf.gather(magnitudes, kinds, batch_dims=1)
        images = apply_each([brightness, contrast, color, hue], images, kinds, strengths)
    return images
