"""Portions class by class: complete, disjoint, in proportion, with every class that has enough."""

import numpy as np
import pytest

from darts_tf.data.split import ArraySplit
from darts_tf.data.stratified import by_class
from darts_tf.errors import UserError


def numbered(labels: np.ndarray) -> ArraySplit:
    images = np.arange(len(labels), dtype=np.uint32).view(np.uint8).reshape(-1, 2, 2, 1)
    return ArraySplit(images, labels.astype(np.int32))


def test_three_hundred_classes_of_five_images_are_in_both_halves():
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(300), 4))
    for half in numbered(labels).portions(0.5, by="class"):
        assert np.bincount(half.labels).tolist() == [2] * 300


def test_portions_are_disjoint_complete_in_order_and_in_proportion(seed):
    random = np.random.default_rng(seed)
    counts = random.integers(1, 40, random.integers(2, 12))
    labels = random.permutation(np.repeat(np.arange(len(counts)), counts))
    portion = float(random.uniform(0.3, 0.7))
    split = numbered(labels)
    first, second = split.portions(portion, by="class")
    assert len(first) == int(portion * len(labels))
    places = [part.images.reshape(-1, 4).view(np.uint32).ravel() for part in (first, second)]
    assert sorted(np.concatenate(places)) == list(range(len(labels)))
    for part, where in zip((first, second), places, strict=True):
        assert (np.diff(where.astype(int)) > 0).all()
        np.testing.assert_array_equal(part.labels, labels[where])
    shares = np.bincount(first.labels, minlength=len(counts))
    np.testing.assert_allclose(shares, portion * counts, atol=2)
    several = counts > 1
    assert (shares[several] > 0).all()
    assert (shares[several] < counts[several]).all()


def test_a_small_class_is_in_both_portions_at_the_cost_of_the_largest():
    labels = np.array([0] * 60 + [1] * 2 + [2])
    for portion in (0.1, 0.5, 0.9):
        first, second = by_class(labels, int(portion * 63), 63 - int(portion * 63))
        assert np.bincount(labels[first], minlength=3)[1] == 1
        assert np.bincount(labels[second], minlength=3)[1] == 1


def test_two_portions_that_leave_some_have_each_class():
    labels = np.random.default_rng(1).permutation(np.repeat(np.arange(10), 20))
    first, second = by_class(labels, 20, 30)
    assert not set(first) & set(second)
    assert np.bincount(labels[first]).tolist() == [2] * 10
    assert np.bincount(labels[second]).tolist() == [3] * 10


def test_more_classes_than_places_fill_the_places():
    first, second = by_class(np.arange(10), 3, 7)
    assert sorted([*first, *second]) == list(range(10))
    first, second = by_class(np.repeat(np.arange(10), 2), 4, 16)
    assert (len(first), len(second)) == (4, 16)


def test_the_order_of_the_catalogues_sets_stays(seed):
    labels = np.random.default_rng(seed).integers(0, 3, 50)
    first, second = numbered(labels).portions(0.5)
    np.testing.assert_array_equal(np.concatenate([first.labels, second.labels]), labels)


def test_images_whose_labels_are_not_known_are_divided_in_order_only():
    class Unread(ArraySplit):
        def known_labels(self):
            return None

    split = Unread(np.zeros((4, 2, 2, 1), np.uint8), np.zeros(4, np.int32))
    with pytest.raises(UserError, match=r"^portions_by: expected order .*, got class$"):
        split.portions(0.5, by="class")
