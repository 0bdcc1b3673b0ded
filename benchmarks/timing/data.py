"""Random images and labels, the same for all sides."""

from dataclasses import replace

import numpy as np

from benchmarks.timing.works import Sizes

CLASSES = 10
# Pixels divided by 255 are normalized with this mean and standard deviation.
MEAN, DEVIATION = 0.5, 0.25


def images_and_labels(sizes: Sizes, stream: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns a batch.

    Args:
        sizes: Its sizes.
        stream: Number of the batch; each number gives another batch.

    Returns:
        Normalized images, float32 [batch, height, width, 3], and labels, int64 [batch].
    """
    rng = np.random.default_rng(stream)
    shape = (sizes.batch, sizes.image_size, sizes.image_size, 3)
    return rng.normal(size=shape).astype(np.float32), rng.integers(0, CLASSES, sizes.batch)


def settling_images(sizes: Sizes) -> np.ndarray:
    """Returns images whose statistics become the running averages of an untrained network.

    Without these averages the features of an untrained network vanish, cell by cell.
    """
    return images_and_labels(replace(sizes, batch=16), 0)[0]


def pixels(sizes: Sizes) -> np.ndarray:
    """Returns a batch of pixels from 0 to 255, float32 [batch, height, width, 3]."""
    shape = (sizes.batch, sizes.image_size, sizes.image_size, 3)
    return np.random.default_rng(2).integers(0, 256, shape).astype(np.float32)


def normalized(values: np.ndarray) -> np.ndarray:
    """Normalizes pixels from 0 to 255."""
    return (values / 255 - MEAN) / DEVIATION
