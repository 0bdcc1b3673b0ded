"""Mixup: training on images between images (Zhang et al., mixup, 2017)."""

import tensorflow as tf

from darts_tf.data.augment.soft_labels import soften


def mixup(
    images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor, alpha: float, classes: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Mixes each image, and its label, with those of a partner from the batch.

    Partners are a permutation of the batch; one share holds for the whole batch, as the authors
    have it. Keras's MixUp draws a share for each image.

    Args:
        images: Normalised, float32 [batch, height, width, channels].
        labels: Integers [batch] or probabilities [batch, classes].
        seed: int32 [2].
        alpha: The share that an image keeps of itself is drawn from Beta(alpha, alpha), above 0.
        classes: Number of classes.

    Returns:
        The mixed images, and the labels mixed alike, float32 [batch, classes].
    """
    share_seed, partner_seed = tf.unstack(tf.random.split(seed, 2))
    own = share(share_seed, alpha)
    everyone = tf.range(tf.shape(images)[0])
    partners = tf.random.experimental.stateless_shuffle(everyone, partner_seed)
    labels = soften(labels, classes)
    return (
        own * images + (1 - own) * tf.gather(images, partners),
        own * labels + (1 - own) * tf.gather(labels, partners),
    )


def share(seed: tf.Tensor, alpha: float) -> tf.Tensor:
    """Returns a draw from Beta(alpha, alpha), a float32 scalar.

    Args:
        seed: int32 [2].
        alpha: Both parameters, above 0.
    """
    # The share that one of two gammas has in their sum. Logarithms, as for a small alpha both are
    # too small for a float: Gamma(alpha) is Gamma(alpha + 1) * U ** (1 / alpha).
    gamma_seed, power_seed = tf.unstack(tf.random.split(seed, 2))
    gammas = tf.random.stateless_gamma([2], gamma_seed, alpha + 1, dtype=tf.float64)
    powers = 1 - tf.random.stateless_uniform([2], power_seed, dtype=tf.float64)
    own, other = tf.unstack(tf.math.log(gammas) + tf.math.log(powers) / alpha)
    return tf.cast(tf.sigmoid(own - other), tf.float32)
