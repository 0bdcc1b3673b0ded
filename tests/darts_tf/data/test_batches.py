import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from darts_tf.data import batches
from darts_tf.data.augment.transforms import labelled_transform, training_transform
from darts_tf.data.sources.catalog import DATASETS
from darts_tf.data.split import ArraySplit

DIGITS = DATASETS["digits"]


def numbered(count: int) -> ArraySplit:
    """Images whose labels are their positions, filled with the position's last byte."""
    positions = np.arange(count, dtype=np.int32)
    return ArraySplit(
        np.tile(positions[:, None, None, None], (1, 8, 8, 1)).astype(np.uint8), positions
    )


def as_floats(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    return tf.cast(images, tf.float32)


def arrays(dataset: tf.data.Dataset) -> list[tuple[np.ndarray, ...]]:
    return list(dataset.as_numpy_iterator())


def labels(dataset: tf.data.Dataset) -> np.ndarray:
    return np.concatenate([element[1] for element in dataset.as_numpy_iterator()])


def training(count: int, batch_size: int, seed: int, epoch: int, **changes) -> tf.data.Dataset:
    given = {"transform": as_floats} | changes
    return batches.training_batches(numbered(count), batch_size, seed=seed, epoch=epoch, **given)


def endless(count: int, batch_size: int, seed: int, first: int, steps: int, **changes):
    given = {"transform": as_floats} | changes
    return batches.endless_batches(
        numbered(count), batch_size, seed=seed, first_step=first, steps=steps, **given
    )


def assert_same(one: tf.data.Dataset, other: tf.data.Dataset) -> None:
    for first, second in zip(arrays(one), arrays(other), strict=True):
        for part, twin in zip(first, second, strict=True):
            np.testing.assert_array_equal(part, twin)


def test_an_epoch_has_each_image_once_with_its_label(seed):
    elements = arrays(training(100, 16, seed, epoch=3))
    assert [len(element[1]) for element in elements] == [16] * 6 + [4]
    assert sorted(np.concatenate([element[1] for element in elements])) == list(range(100))
    for images, numbers, weights in elements:
        assert images.dtype == weights.dtype == np.float32
        assert numbers.dtype == np.int32
        np.testing.assert_array_equal(
            images, np.broadcast_to(numbers[:, None, None, None], images.shape)
        )
        np.testing.assert_allclose(weights, 1 / len(numbers))


def test_epochs_and_seeds_have_orders_of_their_own(seed):
    orders = [labels(training(200, 64, *key)) for key in [(seed, 0), (seed, 1), (seed + 1, 0)]]
    for number, order in enumerate(orders):
        for other in orders[number + 1 :]:
            # Two independent permutations agree in one place on average.
            assert (order == other).sum() < 15


def test_batches_of_several_sizes_are_one_stream(seed):
    whole = labels(endless(20, 1, seed, first=0, steps=3 * 5 + 2 * 7))
    parts = [
        labels(endless(20, 5, seed, first=0, steps=3)),
        labels(endless(20, 7, seed, first=3, steps=2, first_image=15)),
    ]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_no_image_has_a_favourite_place(seed):
    epochs = 30
    places = [np.argsort(labels(training(100, 100, seed, epoch))) for epoch in range(epochs)]
    # Uniform places from 0 to 99 have mean 49.5 and deviation 28.9.
    np.testing.assert_allclose(np.mean(places, axis=0), 49.5, atol=5.5 * 28.9 / np.sqrt(epochs))


def test_same_seed_and_epoch_give_the_same_batches_bit_for_bit(seed):
    transform = training_transform(DIGITS, 4)
    one, other = (training(90, 32, seed, epoch=2, transform=transform) for _ in range(2))
    assert_same(one, other)


@pytest.mark.parametrize("first", [1, 2, 3])
def test_an_epoch_goes_on_from_any_step_bit_for_bit(seed, first):
    transform = training_transform(DIGITS, 4)
    whole = training(90, 32, seed, epoch=2, transform=transform)
    rest = training(90, 32, seed, epoch=2, transform=transform, first_step=first)
    assert len(rest) == 3 - first
    assert_same(rest, whole.skip(first))


def test_no_steps_are_no_batches(seed):
    assert arrays(endless(5, 5, seed, first=2, steps=0)) == []


def test_augmentation_differs_between_steps_and_epochs(seed):
    """On one image that repeats, only the augmentation can tell batches apart."""
    same = ArraySplit(
        np.random.default_rng(seed).integers(0, 256, (1, 8, 8, 1), np.uint8), np.zeros(1, np.int32)
    )
    many = same.take(np.zeros(96, int))
    transform = training_transform(DIGITS, 4)
    seen = [
        element[0].tobytes()
        for epoch in range(2)
        for element in batches.training_batches(
            many, 32, seed=seed, epoch=epoch, transform=transform
        ).as_numpy_iterator()
    ]
    assert len(set(seen)) == 6


@settings(max_examples=15)
@given(
    count=st.integers(2, 30),
    batch_size=st.integers(1, 40),
    first=st.integers(0, 20),
    steps=st.integers(1, 6),
    number=st.integers(0, 2**31 - 1),
)
def test_endless_batches_are_a_window_of_permutation_after_permutation(
    count, batch_size, first, steps, number
):
    whole = labels(endless(count, batch_size, number, 0, first + steps))
    window = arrays(endless(count, batch_size, number, first, steps))
    assert all(len(element[1]) == batch_size for element in window)
    found = np.concatenate([element[1] for element in window])
    np.testing.assert_array_equal(found, whole[first * batch_size :])
    for start in range(0, len(whole) - count + 1, count):
        assert sorted(whole[start : start + count]) == list(range(count))


def test_endless_batches_resume_with_the_same_augmentation(seed):
    transform = training_transform(DIGITS, 4)
    through = arrays(endless(50, 16, seed, 0, 9, transform=transform))
    resumed = arrays(endless(50, 16, seed, 5, 4, transform=transform))
    for one, other in zip(through[5:], resumed, strict=True):
        np.testing.assert_array_equal(one[0], other[0])


def test_the_two_streams_are_unlike(seed):
    first, second = labels(training(400, 50, seed, 0)), labels(endless(400, 50, seed, 0, 8))
    assert (first == second).sum() < 15
    assert abs(np.corrcoef(first, second)[0, 1]) < 5 / np.sqrt(400)


def test_evaluation_is_in_order():
    elements = arrays(batches.evaluation_batches(numbered(70), 32, transform=as_floats))
    np.testing.assert_array_equal(np.concatenate([one[1] for one in elements]), np.arange(70))
    assert [len(one[1]) for one in elements] == [32, 32, 6]


def test_mixup_acts_on_the_whole_batch(seed):
    labelled = labelled_transform(73, 1.0, 0.1)
    whole = arrays(training(73, 16, seed, 1, labelled=labelled))
    plain = arrays(training(73, 16, seed, 1))
    for (images, soft, weights), before in zip(whole, plain, strict=True):
        assert soft.shape == (len(weights), 73)
        # Images hold their own numbers, so mixed ones hold the mean number of their labels.
        certain = (soft - 0.1 / 73) / 0.9
        np.testing.assert_allclose(images[:, 0, 0, 0], certain @ np.arange(73), atol=1e-2)
        assert (images != before[0]).any()


def test_each_step_has_two_seeds_of_its_own_each_time_the_same():
    def note_seed(images, seed):
        return tf.tile(seed[None], [tf.shape(images)[0], 1])

    def note_both(first, labels, seed):
        return first, note_seed(labels, seed)

    def seeds():
        elements = arrays(training(40, 8, 3, 0, transform=note_seed, labelled=note_both))
        return [tuple(part[0]) for element in elements for part in element[:2]]

    assert len(set(seeds())) == 10
    assert seeds() == seeds()


def test_an_iterator_does_not_wait_for_the_autotuner():
    for dataset in (
        training(20, 8, 0, 0),
        tf.data.Dataset.zip(training(20, 8, 0, 0), endless(20, 8, 0, 0, 3)),
        batches.evaluation_batches(numbered(20), 8, transform=as_floats),
    ):
        assert dataset.options().autotune.enabled is False


def test_one_trace_serves_every_batch():
    for dataset in (
        training(20, 8, 0, 0),
        endless(20, 8, 0, 0, 2),
        batches.evaluation_batches(numbered(20), 8, transform=as_floats),
    ):
        images, numbers, weights = dataset.element_spec
        assert images.shape.as_list() == [None, 8, 8, 1]
        assert numbers.shape.as_list() == weights.shape.as_list() == [None]


@pytest.mark.parametrize(
    ("images", "batch_size", "steps"), [(25_000, 64, 391), (128, 64, 2), (1, 64, 1)]
)
def test_the_last_smaller_batch_counts(images, batch_size, steps):
    assert batches.steps_per_epoch(images, batch_size) == steps
