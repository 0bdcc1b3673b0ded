"""The fingerprint of a data set follows from images, labels and class names, not from a path."""

import dataclasses

import numpy as np

from darts_tf.config import SearchConfig
from darts_tf.data.datasets import resolve
from darts_tf.data.fingerprint import fingerprint


def load(images, labels):
    return resolve(SearchConfig(), data=(images, labels))[1].load()


def test_it_changes_with_a_pixel_a_label_and_a_class_name_and_not_with_the_name(seed):
    rng = np.random.default_rng(seed)
    images, labels = rng.integers(0, 256, (20, 8, 8, 3), np.uint8), np.arange(20) % 2
    first = fingerprint(load(images, labels))
    np.testing.assert_array_equal(first, fingerprint(load(images.copy(), labels.copy())))
    other = images.copy()
    other[7, 3, 2, 1] ^= 1
    swapped = labels.copy()
    swapped[[0, 1]] = swapped[[1, 0]]
    dataset = load(images, labels)
    facts = dataset.facts
    renamed = dataclasses.replace(dataset, facts=dataclasses.replace(facts, name="elsewhere"))
    classes = dataclasses.replace(dataset, facts=dataclasses.replace(facts, classes=("a", "b")))
    np.testing.assert_array_equal(first, fingerprint(renamed))
    for changed in (load(other, labels), load(images, swapped), classes):
        assert not np.array_equal(first, fingerprint(changed))
