"""Images that stay on the disk: the same batches, whoever asks, at whatever time."""

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.data import batches, decoding
from darts_tf.data.encoded import EncodedSplit
from tests import layouts


class Records(list):
    """Records in memory, with the one method that is needed."""

    def __getitems__(self, keys):
        return [self[key] for key in keys]


def example(jpeg: bytes, label: int) -> bytes:
    features = {
        "image": tf.train.Feature(bytes_list=tf.train.BytesList(value=[jpeg])),
        "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
    }
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


@pytest.fixture(scope="module")
def split() -> EncodedSplit:
    random = np.random.default_rng(3)
    records = Records(
        example(layouts.jpeg(random, *random.integers(30, 60, 2)), number) for number in range(41)
    )
    return EncodedSplit(records, np.arange(41), 24)


def floats(images, seed):
    return tf.cast(images, tf.float32)


def training(split, batch_size=8, seed=1, epoch=0, **changes):
    data = batches.training_batches(
        split, batch_size, seed=seed, epoch=epoch, transform=floats, **changes
    )
    return list(data.as_numpy_iterator())


def assert_same(one, other):
    for first, second in zip(one, other, strict=True):
        for part, twin in zip(first, second, strict=True):
            np.testing.assert_array_equal(part, twin)


def test_an_epoch_has_each_image_once(split, seed):
    elements = training(split, seed=seed)
    assert [len(labels) for _, labels, _ in elements] == [8, 8, 8, 8, 8, 1]
    assert sorted(np.concatenate([labels for _, labels, _ in elements])) == list(range(41))
    for images, labels, weights in elements:
        assert images.shape == (len(labels), *split.shape)
        assert labels.dtype == np.int32
        np.testing.assert_allclose(weights, 1 / len(labels))


def test_evaluation_decodes_the_middle_of_each_image_in_order(split):
    data = batches.evaluation_batches(split, 16, transform=floats)
    images, labels, _ = map(np.concatenate, zip(*data.as_numpy_iterator(), strict=True))
    np.testing.assert_array_equal(labels, np.arange(41))
    for record, image in zip(split.records, images, strict=True):
        parsed = tf.train.Example.FromString(record).features.feature
        jpeg = parsed["image"].bytes_list.value[0]
        np.testing.assert_array_equal(decoding.central_crop(jpeg, 24).numpy(), image)


def test_training_crops_are_functions_of_seed_epoch_and_step(split, seed):
    assert_same(training(split, seed=seed), training(split, seed=seed))
    first, other = training(split, seed=seed), training(split, seed=seed, epoch=1)
    sums = [
        {
            int(label): image.sum()
            for images, labels, _ in data
            for image, label in zip(images, labels, strict=True)
        }
        for data in (first, other)
    ]
    assert sum(sums[0][label] == sums[1][label] for label in range(41)) < 5


def test_images_of_one_batch_are_cropped_each_on_its_own(split, seed):
    same = split.take(np.zeros(8, int))
    [(images, _, _)] = training(same, seed=seed)
    assert len({image.tobytes() for image in images}) > 6


def test_endless_batches_resume_exactly(split, seed):
    def endless(first, steps):
        data = batches.endless_batches(
            split, 8, seed=seed, first_step=first, steps=steps, transform=floats
        )
        return list(data.as_numpy_iterator())

    assert_same(endless(0, 8)[5:], endless(5, 3))


def test_one_trace_serves_every_batch_and_their_number_is_known(split):
    data = batches.training_batches(split, 8, seed=0, epoch=0, transform=floats)
    images, labels, weights = data.element_spec
    assert images.shape.as_list() == [None, 24, 24, 3]
    assert labels.shape.as_list() == weights.shape.as_list() == [None]
    assert len(data) == 6


def test_two_tenths_are_disjoint_and_read_nothing(split):
    first, second = split.portions(0.1, 0.1)
    assert (len(first), len(second)) == (4, 4)
    assert not set(first.positions) & set(second.positions)


def test_determinism_does_not_hold_the_pipeline_up(split):
    """TensorFlow runs functions that it takes for stateful one by one where results must repeat."""
    data = split.batches(np.arange(41), 8, np.zeros((6, 2), np.int32), crop=True)
    graph = data._as_serialized_graph().numpy()  # no public name
    names = tf.compat.v1.GraphDef.FromString(graph)
    ops = {node.op for function in names.library.function for node in function.node_def}
    assert "PyFuncStateless" in ops
    assert not {"PyFunc", "EagerPyFunc"} & ops
