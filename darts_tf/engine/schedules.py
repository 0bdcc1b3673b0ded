"""Learning rate schedules: a rate for each epoch."""

import math
from collections.abc import Callable


def cosine(epoch: float, epochs: int, highest: float, lowest: float) -> float:
    r"""Returns the learning rate of an epoch: half a cosine from `highest` to `lowest`.

    In epoch $e$ of $E$ the rate is

    $$\eta_e = \eta_{min} + \frac{1}{2} (\eta_{max} - \eta_{min}) (1 + \cos(\pi e / E))$$

    (Loshchilov and Hutter, SGDR, equation 5, without restarts; DARTS+, section 4.2).

    Example:
        >>> import darts_tf
        >>> [round(darts_tf.cosine(epoch, 4, 0.1, 0.0), 4) for epoch in range(5)]
        [0.1, 0.0854, 0.05, 0.0146, 0.0]

    Args:
        epoch: Number of the epoch, from 0; between whole numbers for the steps of an epoch.
        epochs: Length of the half period in epochs, whether or not the run stops earlier.
        highest: The rate of epoch 0.
        lowest: The rate that epoch `epochs` would have.
    """
    return lowest + (highest - lowest) * (1 + math.cos(math.pi * epoch / epochs)) / 2


def warmed_cosine(epoch: float, epochs: int, highest: float, lowest: float, warmup: int) -> float:
    r"""Returns the learning rate of an epoch: a line up to `highest`, then half a cosine down.

    Epoch $e$ of the $W$ warm-up epochs has $\eta_{max} (e + 1) / W$, as in P-DARTS's code for
    ImageNet; `cosine` fills the epochs after them (Goyal et al., 2017, section 2.2; DARTS+,
    section 4.3).

    Example:
        >>> import darts_tf
        >>> [round(darts_tf.warmed_cosine(epoch, 6, 0.8, 0.0, 2), 4) for epoch in range(6)]
        [0.4, 0.8, 0.8, 0.6828, 0.4, 0.1172]

    Args:
        epoch: Number of the epoch, from 0; between whole numbers for the steps of an epoch, all of
            which have one rate in the warm-up.
        epochs: All epochs, those of the warm-up included.
        highest: The rate at which the line ends and the cosine begins.
        lowest: The rate that epoch `epochs` would have.
        warmup: Epochs of the line, fewer than `epochs`; 0 for none.
    """
    if epoch < warmup:
        return highest * (math.floor(epoch) + 1) / warmup
    return cosine(epoch - warmup, epochs - warmup, highest, lowest)


def each_step(
    by: str, epoch: int, set_rate: Callable[[float], object]
) -> Callable[[float], object] | None:
    """Returns what sets the learning rate before each step of an epoch, as `Epoch.train` takes it.

    Example:
        >>> rates = []
        >>> before_step = each_step("step", 2, rates.append)
        >>> for step in range(4):
        ...     before_step(step / 4)
        >>> rates
        [2.0, 2.25, 2.5, 2.75]

    Args:
        by: `epoch`, for one rate in all steps of an epoch, or `step`.
        epoch: Number of the epoch, from 0.
        set_rate: Sets the rate of an epoch, or of a place between two.

    Returns:
        A function of the share of the epoch's steps that are done; None for one rate.
    """
    return None if by == "epoch" else lambda share: set_rate(epoch + share)
