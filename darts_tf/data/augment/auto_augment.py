"""AutoAugment: two operations an image, by a policy found for CIFAR-10 or ImageNet.

Cubuk et al., AutoAugment: Learning Augmentation Strategies from Data, 2019. The ranges of
magnitudes are those of the appendix, table 6, each in ten even levels.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from darts_tf.data.augment import image_ops
from darts_tf.data.augment.per_image import apply_each
from darts_tf.data.augment.policies import POLICIES


class Draws(NamedTuple):
    """The two operations of a policy for each image of a batch.

    Attributes:
        choices: Places in `OPERATIONS`, int32 [batch, 2]; 0 leaves the image as it is.
        magnitudes: What the operations get, signs included, float32 [batch, 2].
    """

    choices: tf.Tensor
    magnitudes: tf.Tensor


OPERATIONS: tuple[str, ...] = (
    "identity",
    "shear_x",
    "shear_y",
    "translate_x",
    "translate_y",
    "rotate",
    "auto_contrast",
    "invert",
    "equalize",
    "solarize",
    "posterize",
    "contrast",
    "color",
    "brightness",
    "sharpness",
)

SIGNED = frozenset({"shear_x", "shear_y", "translate_x", "translate_y", "rotate"})


def magnitude(operation: str, level: int, size: tuple[int, int]) -> float:
    """Returns what an operation gets for a level, its sign apart.

    The signs are those of the authors' program: a coin for what moves pixels, none for contrast,
    color, brightness and sharpness, whose levels grow from 0.1 to 1.9, where 1 changes nothing.

    Args:
        operation: A name in `OPERATIONS`.
        level: 0 to 9.
        size: Height and width of the images: translations were found on 331 pixels, and go as far
            in proportion, in whole pixels.
    """
    share = level / 9
    if operation in ("shear_x", "shear_y"):
        return 0.3 * share
    if operation in ("translate_x", "translate_y"):
        return float(int(150 / 331 * share * size[operation == "translate_x"]))
    if operation == "rotate":
        return 30.0 * share
    if operation == "solarize":
        return 256.0 * (1 - share)
    if operation == "posterize":
        return 8.0 - round(4 * share)
    if operation in ("contrast", "color", "brightness", "sharpness"):
        return 0.1 + 1.8 * share
    return 0.0


def draw(policy: str, number: tf.Tensor, seed: tf.Tensor, size: tuple[int, int]) -> Draws:
    """Draws what happens to each image: a sub-policy, and a coin and a sign for each half of it.

    Args:
        policy: `cifar` or `imagenet`.
        number: How many images there are, int32.
        seed: int32 [2].
        size: Height and width of the images.
    """
    steps = [step for pair in POLICIES[policy] for step in pair]
    table = np.array([[OPERATIONS.index(step.operation), step.probability] for step in steps])
    strengths = [magnitude(step.operation, step.level, size) for step in steps]
    sub_seed, coin_seed, sign_seed = tf.unstack(tf.random.split(seed, 3))
    rows = tf.random.stateless_uniform([number], sub_seed, 0, len(steps) // 2, tf.int32)

    def of_each(column: np.ndarray, dtype: tf.DType) -> tf.Tensor:
        return tf.gather(tf.constant(column.reshape(-1, 2), dtype), rows)

    applied = tf.random.stateless_uniform([number, 2], coin_seed) < of_each(table[:, 1], tf.float32)
    negative = tf.random.stateless_uniform([number, 2], sign_seed) < 0.5
    signed = of_each(np.array([step.operation in SIGNED for step in steps]), tf.bool)
    magnitudes = of_each(np.array(strengths), tf.float32)
    return Draws(
        tf.where(applied, of_each(table[:, 0], tf.int32), 0),
        tf.where(signed & negative, -magnitudes, magnitudes),
    )


def auto_augment(images: tf.Tensor, seed: tf.Tensor, policy: str) -> tf.Tensor:
    """Applies a sub-policy to each image, drawn for that image alone.

    Args:
        images: uint8 [batch, height, width, channels].
        seed: int32 [2].
        policy: `cifar` or `imagenet`.

    Returns:
        The images, uint8.
    """
    _, height, width, _ = images.shape
    draws = draw(policy, tf.shape(images)[0], seed, (height, width))
    operations = [getattr(image_ops, name) for name in OPERATIONS]
    for half in range(2):
        images = apply_each(operations, images, draws.choices[:, half], draws.magnitudes[:, half])
    return images
