"""Images in memory: what is taken, what is refused, and how facts come about."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from darts_tf import data
from darts_tf.config import SearchConfig, TrainingConfig, flag_lines
from darts_tf.errors import UserError


def arrays(count: int = 20, classes: int = 2, shape=(8, 8), seed: int = 0):
    random = np.random.default_rng(seed)
    return random.integers(0, 256, (count, *shape), np.uint8), np.arange(count) % classes


def pairs(split: data.ArraySplit) -> list[tuple[bytes, int]]:
    return sorted(zip(map(bytes, split.images), split.labels.tolist(), strict=True))


@given(st.integers(32, 90), st.integers(2, 4), st.integers(0, 2**32 - 1))
def test_a_pair_of_arrays_is_divided_four_to_one_without_loss(count, classes, seed):
    images, labels = arrays(count, classes, seed=seed)
    dataset = data.as_dataset((images, labels))
    assert len(dataset.test) == len(images) // 5
    both = sorted(pairs(dataset.train) + pairs(dataset.test))
    assert both == sorted(zip(map(bytes, images[..., None]), labels.tolist(), strict=True))


def test_sorted_labels_are_mixed_so_that_both_portions_have_all_classes():
    images, labels = arrays(100, 2)
    dataset = data.as_dataset((images, np.sort(labels)))
    for portion in (*dataset.train.portions(0.5), dataset.test):
        assert set(portion.labels.tolist()) == {0, 1}
    again = data.as_dataset((images, np.sort(labels)))
    np.testing.assert_array_equal(dataset.train.images, again.train.images)


def test_keras_load_data_is_taken_as_it_comes():
    # cifar10.load_data: labels [images, 1], uint8.
    train, test = arrays(30, 3, (32, 32, 3)), arrays(6, 3, (32, 32, 3), seed=1)
    dataset = data.as_dataset(((train[0], train[1][:, None]), (test[0], test[1][:, None])))
    assert pairs(dataset.train) == sorted(zip(map(bytes, train[0]), train[1].tolist(), strict=True))
    np.testing.assert_array_equal(dataset.test.images, test[0])
    np.testing.assert_array_equal(dataset.test.labels, test[1])
    assert dataset.test.labels.dtype == np.int32
    assert callable(keras.datasets.cifar10.load_data)


@pytest.mark.parametrize("batched", [False, True])
def test_sets_of_tf_data_hold_the_same_as_their_arrays(batched):
    train, test = arrays(30, 3, (8, 8, 1)), arrays(7, 3, (8, 8, 1), seed=1)
    sets = [tf.data.Dataset.from_tensor_slices(part) for part in (train, test)]
    if batched:
        sets = [part.batch(4) for part in sets]
    read, right = data.as_dataset(tuple(sets)), data.as_dataset((train, test))
    assert read.facts == right.facts
    for one, other in ((read.train, right.train), (read.test, right.test)):
        np.testing.assert_array_equal(one.images, other.images)
        np.testing.assert_array_equal(one.labels, other.labels)


def test_floats_from_0_to_1_and_whole_numbers_are_the_same_pixels():
    images, labels = arrays(20, 2, (8, 8, 3))
    right = data.as_dataset((images, labels))
    for other in (images / 255, (images / 255).astype(np.float32), images.astype(np.int64)):
        assert data.as_dataset((other, labels)).facts == right.facts


def test_facts_are_those_of_the_images():
    images, labels = arrays(50, 5, (28, 28, 3))
    dataset = data.as_dataset(((images, labels), (images[:5], labels[:5])))
    facts, pixels = dataset.facts, images / 255
    np.testing.assert_allclose(facts.mean, pixels.mean(axis=(0, 1, 2)), atol=1e-12)
    np.testing.assert_allclose(facts.deviation, pixels.std(axis=(0, 1, 2)), atol=1e-12)
    assert (facts.image_size, facts.channels, facts.classes) == (28, 3, tuple("01234"))
    assert (facts.train_images, facts.test_images) == (50, 5)
    assert (facts.pad, facts.cutout, facts.stem, facts.flip) == (4, 14, "cifar", True)
    named = data.as_dataset((images, labels), name="mine", classes="abcde", flip=False).facts
    assert (named.name, named.classes, named.flip) == ("mine", tuple("abcde"), False)


def test_the_settings_of_a_run_take_the_data_in_place_of_what_they_name():
    images, labels = arrays(20, 2, (64, 64))
    config, dataset = data.resolve(TrainingConfig(), data=(images, labels))
    assert config.dataset == dataset.facts.name
    assert config.dataset.startswith("arrays:")
    # Of the images, not of cifar10, which is the settings' default.
    assert (config.stem, config.cutout) == ("tiny_imagenet", 32)
    assert f"--dataset={config.dataset}" in flag_lines(config)
    smaller, resized = data.resolve(SearchConfig(image_size=16), data=(images, labels))
    assert (smaller.stem, resized.train.shape) == ("cifar", (16, 16, 1))


def test_other_images_have_another_name_so_that_no_run_goes_on_with_them():
    images, labels = arrays()
    changed = images.copy()
    changed[3, 2, 1] ^= 1
    names = {
        data.as_dataset(given).facts.name
        for given in ((images, labels), (changed, labels), (images, 1 - labels), (images, labels))
    }
    assert len(names) == 3


def test_a_data_set_is_taken_as_it_is():
    dataset = data.as_dataset(arrays())
    lazy = data.LazyDataset(dataset.facts, lambda: dataset)
    assert data.as_dataset(dataset) is dataset
    assert data.as_dataset(lazy) is lazy
    assert dataset.load() is lazy.load() is dataset


IMAGES, LABELS = arrays(20, 2, (8, 8, 3))


@pytest.mark.parametrize(
    ("given_data", "told"),
    [
        (IMAGES, r"expected \(images, labels\), .* got a ndarray"),
        ((IMAGES,), "got a tuple of 1"),
        ("cifar10", "got a str"),
        ((IMAGES[:, :7], LABELS), r"square, grey or in color, got \[20, 7, 8, 3\]"),
        ((IMAGES[..., :2], LABELS), r"got \[20, 8, 8, 2\]"),
        ((IMAGES[0, 0], LABELS), r"got \[8, 3\]"),
        ((IMAGES * 2.0, LABELS), r"floats from 0 to 1, got float64 from"),
        ((IMAGES / 255 - 0.5, LABELS), r"got float64 from -0\.5"),
        ((np.full(IMAGES.shape, np.nan, np.float32), LABELS), "got float32 from nan to nan"),
        ((IMAGES.astype(np.int32) * 2, LABELS), "got int32 from 0 to"),
        ((IMAGES > 7, LABELS), "got bool from"),
        ((IMAGES, LABELS[1:]), "got 20 images and 19 labels"),
        ((IMAGES[:0], LABELS[:0]), "got 0 images and 0 labels"),
        ((IMAGES, LABELS / 2), "labels that are whole numbers, .* got float64"),
        ((IMAGES, np.eye(2)[LABELS]), r"got float64 of shape \[20, 2\]"),
        ((IMAGES, LABELS - 1), "expected training labels from 0 to 2147483647, got -1"),
        ((IMAGES, LABELS + 1), "of each label from 0 to 2, got none of 0"),
        ((IMAGES, LABELS * 0), "at least two classes"),
        ((IMAGES[:4], LABELS[:4]), "expected at least 5 images"),
        (((IMAGES, LABELS), (IMAGES[..., :1], LABELS)), "expected test images of 8x8 pixels and 3"),
        (((IMAGES, LABELS), (IMAGES, LABELS[:3])), "got 20 images and 3 labels"),
        ((IMAGES[:, :4, :4], LABELS), "image_size: expected 8 to 32768 pixels, got 4"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_data_of_another_form_ends_in_one_line(given_data, told):
    with pytest.raises(UserError, match=told) as caught:
        data.as_dataset(given_data)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("slices", "count", "told"),
    [
        (IMAGES, 20, r"elements \(image, label\)"),
        ((IMAGES, LABELS), 0, "one image or more"),
    ],
    ids=["without labels", "empty"],
)
def test_a_set_of_tf_data_of_another_form_ends_in_one_line(slices, count, told):
    part = tf.data.Dataset.from_tensor_slices(slices).take(count)
    whole = tf.data.Dataset.from_tensor_slices((IMAGES, LABELS))
    for given_data in ((part, whole), (whole, part)):
        with pytest.raises(UserError, match=told):
            data.as_dataset(given_data)


def test_names_are_one_for_each_label():
    with pytest.raises(UserError, match=r"^classes: expected 2 names, one for each label, got 3$"):
        data.as_dataset((IMAGES, LABELS), classes="abc")
