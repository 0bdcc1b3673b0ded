"""Bilinear resizing that can be differentiated any number of times."""

import tensorflow as tf


def upsample(x: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
    """Doubles rows and columns by linear interpolation, and cuts them to another image's.

    An output pixel lies a quarter of a pixel from the nearest input pixel, and reads it by 3/4 and
    the one beyond by 1/4; at the border the nearest alone. Keras's `UpSampling2D` with
    `interpolation="bilinear"` computes the same numbers.

    Args:
        x: [batch, rows, columns, channels].
        like: An image [batch, 2 * rows, 2 * columns, channels], or with one row or column less.

    Returns:
        [batch, rows of `like`, columns of `like`, channels].
    """
    rows, columns = tf.shape(like)[1], tf.shape(like)[2]
    y = _double(_double(x, 1), 2)[:, :rows, :columns]
    return tf.ensure_shape(y, (x.shape[0], *like.shape[1:3], x.shape[3]))


def _double(x: tf.Tensor, axis: int) -> tf.Tensor:
    """Doubles the length of an axis, 1 or 2."""
    last = tf.shape(x)[axis] - 1
    first_part, rest = tf.split(x, (1, last), axis)
    most, last_part = tf.split(x, (last, 1), axis)
    before = tf.concat((first_part, most), axis)
    after = tf.concat((rest, last_part), axis)
    pairs = tf.stack((0.75 * x + 0.25 * before, 0.75 * x + 0.25 * after), axis + 1)
    shape = tf.shape(x)
    doubled = tf.concat((shape[:axis], 2 * shape[axis : axis + 1], shape[axis + 1 :]), 0)
    return tf.reshape(pairs, doubled)
