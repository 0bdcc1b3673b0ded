"""Mean and standard deviation of images, channel by channel."""

import numpy as np


def statistics(images: np.ndarray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Returns mean and standard deviation of each channel, of pixels divided by 255.

    They are computed from a count of each level, and so do not depend on the order of the images.

    Args:
        images: Pixels, uint8 [images, height, width, channels].

    Returns:
        Two tuples, a number for each channel. The standard deviation of a channel that is the same
        everywhere is given as 1, as pixels are divided by it.

    Example:
        >>> statistics(np.array([0, 255], np.uint8).reshape(2, 1, 1, 1))
        ((0.5,), (0.5,))
    """
    levels = np.arange(256) / 255
    mean, deviation = [], []
    for channel in range(images.shape[-1]):
        shares = np.bincount(images[..., channel].ravel(), minlength=256) / images[..., 0].size
        mean.append(float(shares @ levels))
        deviation.append(float(np.sqrt(shares @ (levels - mean[-1]) ** 2)))
    return tuple(mean), tuple(value or 1.0 for value in deviation)
