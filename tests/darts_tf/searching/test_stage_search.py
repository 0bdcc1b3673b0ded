"""The batches of a stage: one stream of validation images, however large its batches are."""

from types import SimpleNamespace

import numpy as np

from darts_tf import methods, spaces
from darts_tf.config import SearchConfig
from darts_tf.data.sources.catalog import DATASETS
from darts_tf.data.split import ArraySplit
from darts_tf.searching.stage_search import StageSearch


def stage_of(seed, method, config):
    """A stage as far as its batches are concerned, with 31 training and 23 validation images."""
    pixels = np.random.default_rng(seed).integers(0, 256, (23, 8, 8, 1), np.uint8)
    return SimpleNamespace(
        method=method,
        config=config,
        plan=method.stage(0, config, spaces.get("darts"), ()),
        train=range(31),
        valid=ArraySplit(pixels, np.arange(23, dtype=np.int32)),
        facts=DATASETS["digits"],
    )


def check_each_image_comes_once_a_round(stream):
    for start in range(0, len(stream) - 22, 23):
        assert sorted(stream[start : start + 23]) == list(range(23))


def test_growing_batches_of_the_architecture_go_on_where_smaller_ones_ended(seed):
    method = methods.get({"name": "sgas", "first": 2, "every": 2, "batch_increase": 3})
    config = SearchConfig(epochs=8, batch_size=5, arch_start_epoch=2, seed=seed % 2**30)
    stage = stage_of(seed, method, config)

    def drawn(epoch, first=0):
        size = method.batch_size(epoch, stage.plan, config)
        batches = StageSearch._validation_batches(stage, epoch, epoch, first, size)
        return [batch[1] for batch in batches.as_numpy_iterator()]

    epochs = [drawn(epoch) for epoch in range(8)]
    assert len({len(batch) for batches in epochs for batch in batches}) > 1
    check_each_image_comes_once_a_round(
        np.concatenate([batch for batches in epochs for batch in batches])
    )
    np.testing.assert_array_equal(np.concatenate(drawn(5, 1)), np.concatenate(epochs[5][1:]))


def test_a_batch_of_the_architecture_has_no_more_images_than_there_are(seed):
    config = SearchConfig(epochs=3, batch_size=10**6, seed=seed % 2**30)
    stage = stage_of(seed, methods.get("darts"), config)
    batches = [StageSearch._validation_batches(stage, epoch, epoch, 0, 10**6) for epoch in range(3)]
    labels = [batch[1] for epoch in batches for batch in epoch.as_numpy_iterator()]
    assert [len(batch) for batch in labels] == [31] * 3
    check_each_image_comes_once_a_round(np.concatenate(labels))
