"""Batches as a function of seed, epoch and step: nothing to save, and resuming is exact.

Every element is `(images float32 [b, height, width, channels], labels int32 [b], sample_weights
float32 [b])`. The weights are 1 / global batch, so that a loss summed with them is the mean. What
works on whole batches may make labels float32 [b, classes]. Of a text the images are windows, int32
[b, 2 + words], and each word has a label and a weight, [b, words].
"""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

from darts_tf.data.augment.transforms import LabelledTransform, Transform
from darts_tf.data.split import Split

# Part of every random key, so that the two streams of a search are independent of each other.
_TRAINING, _ENDLESS = 1, 2
# Batches that wait until they are needed.
_AHEAD = 2


def steps_per_epoch(images: int, batch_size: int) -> int:
    """Returns the batches in an epoch of `images` images; the last, smaller one counts."""
    return math.ceil(images / batch_size)


def training_batches(
    split: Split,
    batch_size: int,
    *,
    seed: int,
    epoch: int,
    transform: Transform,
    labelled: LabelledTransform | None = None,
    first_step: int = 0,
) -> tf.data.Dataset:
    """Makes the batches of one epoch: every image once, in an order of this epoch's own.

    Args:
        split: The images.
        batch_size: Images in a global batch. The last batch may be smaller.
        seed: The run's seed, at least 0.
        epoch: Counted from 0.
        transform: Augmentation and normalization.
        labelled: What then happens to the images and labels of a global batch; it gets a seed of
            its own.
        first_step: The first batch to make, counted from 0 in this epoch.

    Returns:
        A `tf.data.Dataset` of the batches from `first_step` on.
    """
    steps = steps_per_epoch(len(split), batch_size)
    positions = _order(split, seed, _TRAINING, epoch)[first_step * batch_size :]
    seeds = _seeds(seed, _TRAINING, epoch * steps + first_step, steps - first_step)
    return _batches(split, positions, batch_size, seeds, transform, labelled)


def endless_batches(
    split: Split,
    batch_size: int,
    *,
    seed: int,
    first_step: int,
    steps: int,
    transform: Transform,
    first_image: int | None = None,
) -> tf.data.Dataset:
    """Makes full batches from a split that is reshuffled without end, for architecture steps.

    The stream is one permutation of the split after the other; a batch may span two of them.

    Args:
        split: The images.
        batch_size: Images in every global batch.
        seed: The run's seed, at least 0.
        first_step: Number of the first batch, counted from 0 since the start of the run.
        steps: How many batches to make.
        transform: Augmentation and normalization.
        first_image: Place of the first batch in the stream, in images from 0; None where all
            batches before it have as many images.

    Returns:
        A `tf.data.Dataset` of `steps` elements.
    """
    start = first_step * batch_size if first_image is None else first_image
    stop = start + steps * batch_size
    passes = range(start // len(split), math.ceil(stop / len(split)))
    orders = [_order(split, seed, _ENDLESS, number) for number in passes]
    skipped = start - passes.start * len(split)
    positions = np.concatenate([np.arange(0), *orders])[skipped : skipped + stop - start]
    seeds = _seeds(seed, _ENDLESS, first_step, steps)
    return _batches(split, positions, batch_size, seeds, transform)


def evaluation_batches(split: Split, batch_size: int, *, transform: Transform) -> tf.data.Dataset:
    """Makes batches of every image once, in the split's order, without randomness.

    Args:
        split: The images.
        batch_size: Images in a global batch. The last batch may be smaller.
        transform: Normalization; it gets zeros for its seed.

    Returns:
        A `tf.data.Dataset` of `steps_per_epoch(len(split), batch_size)` elements.
    """
    seeds = np.zeros((steps_per_epoch(len(split), batch_size), 2), np.int32)
    positions = np.arange(len(split))
    return _batches(split, positions, batch_size, seeds, transform, crop=False)


def _order(split: Split, seed: int, stream: int, number: int) -> np.ndarray:
    if split.in_order:
        return np.arange(len(split))
    return np.random.default_rng([seed, stream, number]).permutation(len(split))


def _seeds(seed: int, stream: int, first_step: int, steps: int) -> np.ndarray:
    """One seed for TensorFlow's stateless operations for each step: int32 [steps, 2]."""
    # The 1 keeps these keys apart from those of the permutations.
    keys = [[seed, stream, step, 1] for step in range(first_step, first_step + steps)]
    states = [np.random.SeedSequence(key).generate_state(2) for key in keys]
    return np.array(states, np.uint32).reshape(steps, 2).view(np.int32)


def _batches(
    split: Split,
    positions: np.ndarray,
    batch_size: int,
    seeds: np.ndarray,
    transform: Transform,
    labelled: LabelledTransform | None = None,
    crop: bool = True,
) -> tf.data.Dataset:
    def make(
        images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        weights = tf.fill(tf.shape(labels), 1.0 / tf.cast(tf.size(labels), tf.float32))
        batch = transform(images, seed), labels
        if labelled is not None:
            batch = labelled(*batch, tf.random.fold_in(seed, 2))
        return *batch, weights

    pixels = split.batches(positions, batch_size, seeds, crop=crop)
    batches = pixels.map(make, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return _without_autotune(batches.prefetch(_AHEAD))


def _without_autotune(batches: tf.data.Dataset) -> tf.data.Dataset:
    """Makes iterators that end at once.

    TensorFlow 2.21's autotuner sleeps for ever longer, up to a minute, and an iterator that goes
    away may wait until it wakes up: every epoch would.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return batches.with_options(options)
