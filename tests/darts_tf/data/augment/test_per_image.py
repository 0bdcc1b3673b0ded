import numpy as np
import tensorflow as tf

from darts_tf.data.augment import image_ops
from darts_tf.data.augment.per_image import apply_each


def unwanted(images, magnitudes):
    """An operation that no image chooses and that fails without one, as some of Keras's do."""
    with tf.control_dependencies([tf.debugging.assert_positive(tf.size(magnitudes))]):
        return tf.identity(images)


def test_each_image_gets_the_operation_that_chose_it(seed):
    random = np.random.default_rng(seed)
    images = random.integers(0, 256, (40, 5, 5, 3), np.uint8)
    operations = [image_ops.identity, image_ops.invert, image_ops.brightness, unwanted]
    choices = random.integers(0, 3, 40).astype(np.int32)
    magnitudes = random.uniform(0, 2, 40).astype(np.float32)
    apply = tf.function(lambda *given: apply_each(operations, *given))
    made = apply(tf.constant(images), tf.constant(choices), tf.constant(magnitudes)).numpy()
    for image, choice, magnitude, found in zip(images, choices, magnitudes, made, strict=True):
        expected = [image, 255 - image, np.clip(magnitude * image, 0, 255).astype(np.uint8)]
        np.testing.assert_array_equal(found, expected[choice])
