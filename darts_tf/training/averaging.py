"""The averages of weights that AWD-LSTM trains with once the loss no longer falls."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import keras
import numpy as np
import tensorflow as tf

_NONE_YET = 1e30  # in place of a loss; checkpoints hold finite numbers alone


class Averages:
    """Means of all weights since the validation loss stopped falling (NT-ASGD, Merity et al. 2018).

    After an epoch whose loss is higher than the best of all but the last few epochs before it, the
    weights of each following step are averaged, and the averages are what is evaluated; the steps
    go on from the weights themselves. The state is in variables, so that checkpoints hold it.

    Args:
        weights: The weights.
        patience: The number of epochs before the current one that do not count; 0 for no averages.
    """

    def __init__(self, weights: Sequence[keras.Variable], patience: int) -> None:
        self.weights = list(weights) if patience else []
        self.means = [
            keras.Variable(weight.numpy(), trainable=False, name=f"mean_of_{weight.name}")
            for weight in self.weights
        ]
        self.steps = _number(0.0, (), "averaged_steps")
        self.active = _number(0.0, (), "averages")
        # Of the last epochs, the oldest first; then the best of those before them.
        self.losses = _number(_NONE_YET, (patience + 1,), "losses")

    @property
    def variables(self) -> list[keras.Variable]:
        """All of its state."""
        if not self.weights:
            return []
        return [*self.means, self.steps, self.active, self.losses]

    def update(self) -> None:
        """Takes the weights after a step into the means, in the step's graph."""
        if not self.weights:
            return
        self.steps.assign_add(self.active)
        share = tf.math.divide_no_nan(self.active.value, self.steps.value)
        for mean, weight in zip(self.means, self.weights, strict=True):
            change = tf.convert_to_tensor(weight.value) - mean.value
            mean.assign_add(tf.cast(share, mean.dtype) * change)

    def watch(self, loss: float) -> None:
        """Takes the validation loss of an epoch; begins to average where it no longer falls.

        Args:
            loss: The loss.
        """
        if not self.weights:
            return
        *recent, best = self.losses.numpy()
        if loss > best:
            self.active.assign(1.0)
        self.losses.assign(np.array([*recent[1:], loss, min(best, recent[0])], np.float32))

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Puts the means in the place of the weights, where there are means, for a while."""
        if not self.weights or not self.steps.numpy():
            yield
            return
        values = [weight.numpy() for weight in self.weights]
        for weight, mean in zip(self.weights, self.means, strict=True):
            weight.assign(mean.value)
        try:
            yield
        finally:
            for weight, value in zip(self.weights, values, strict=True):
                weight.assign(value)


def _number(value: float, shape: tuple[int, ...], name: str) -> keras.Variable:
    initializer = keras.initializers.Constant(value)
    return keras.Variable(initializer, shape=shape, dtype="float32", trainable=False, name=name)
