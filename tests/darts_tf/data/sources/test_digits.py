import numpy as np
import tensorflow_datasets as tfds
from sklearn.datasets import load_digits

import darts_tf.data.sources.digits  # noqa: F401, makes its name known to TFDS


def as_multiset(images, labels):
    return sorted(
        image.astype(np.uint8).tobytes() + bytes([label])
        for image, label in zip(images, labels, strict=True)
    )


def test_every_fifth_digit_of_scikit_learn_is_a_test_image(digits):
    original = load_digits()
    # 16 grey levels on 0..255: 255 / 16 apart, halves to the even side as NumPy rounds.
    images = np.round(original.images * 255 / 16)
    assert (len(digits.train), len(digits.test)) == (1437, 360)
    assert as_multiset(digits.test.images, digits.test.labels) == as_multiset(
        images[::5], original.target[::5]
    )
    rest = np.arange(len(images)) % 5 != 0
    assert as_multiset(digits.train.images, digits.train.labels) == as_multiset(
        images[rest], original.target[rest]
    )


def test_digits_use_the_whole_range_of_pixels(digits):
    assert digits.train.images.min() == 0
    assert digits.train.images.max() == 255


def test_tfds_finds_the_digits_by_name(tmp_path):
    builder = tfds.builder("digits", data_dir=tmp_path)
    assert type(builder).__name__ == "Digits"
    assert builder.info.features["label"].num_classes == 10
