import numpy as np
import pytest

from darts_tf.data.split import ArraySplit
from darts_tf.errors import UserError


def numbered(count: int) -> ArraySplit:
    """A split whose labels are its positions and whose images carry them in two pixels."""
    positions = np.arange(count)
    images = np.zeros((count, 2, 2, 1), np.uint8)
    images[:, 0, 0, 0], images[:, 1, 1, 0] = positions // 256, positions % 256
    return ArraySplit(images, positions.astype(np.int32))


def test_portions_are_disjoint_complete_and_in_order(seed):
    random = np.random.default_rng(seed)
    count, portion = int(random.integers(4, 400)), float(random.uniform(0.3, 0.7))
    first, second = numbered(count).portions(portion)
    assert len(first) == int(np.floor(portion * count))
    np.testing.assert_array_equal(np.concatenate([first.labels, second.labels]), np.arange(count))
    np.testing.assert_array_equal(second.images[:, 1, 1, 0], second.labels % 256)


@pytest.mark.parametrize("portion", [0.0, 0.01, 1.0, 1.5])
def test_an_empty_portion_is_refused(portion):
    with pytest.raises(UserError, match=f"train_portion: .* got {portion} of 10 images"):
        numbered(10).portions(portion)


def test_two_tenths_are_disjoint():
    first, second = numbered(105).portions(0.1, 0.1)
    assert first.labels.tolist() == list(range(10))
    assert second.labels.tolist() == list(range(10, 20))


def test_take_keeps_images_and_labels_together(seed):
    indices = np.random.default_rng(seed).permutation(300)[:20]
    taken = numbered(300).take(indices)
    np.testing.assert_array_equal(taken.labels, indices)
    np.testing.assert_array_equal(
        taken.images[:, 0, 0, 0].astype(int) * 256 + taken.images[:, 1, 1, 0], indices
    )


def test_each_image_needs_a_label():
    with pytest.raises(ValueError, match="3 images, 2 labels"):
        ArraySplit(np.zeros((3, 2, 2, 1), np.uint8), np.zeros(2, np.int32))


def test_tensors_are_made_once_even_inside_a_function():
    import tensorflow as tf

    split = numbered(5)

    @tf.function
    def second_label():
        return split.tensors[1][1]

    assert second_label().numpy() == 1
    assert split.tensors[1].numpy().tolist() == [0, 1, 2, 3, 4]
    assert split.tensors[0] is split.tensors[0]
