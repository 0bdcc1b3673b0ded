"""What the recurrent cells of a search and of a network have in common."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from darts_tf.layers.gradients import custom_gradient


def gated(source: tf.Tensor, read: tf.Tensor, weights: tf.Tensor, function: Any) -> tf.Tensor:
    r"""Returns a node of a recurrent cell, $s + c \odot (f(\cdot) - s)$ (DARTS, section 3.1.2).

    Args:
        source: The node $s$ that it reads, or the hidden state, [..., size].
        read: What the weights multiply: the source after its dropout, [..., inputs].
        weights: [inputs, 2 * size]; the first half gives the gate $c$ before its sigmoid, the
            second half what goes into the function.
        function: The activation function $f$.

    Returns:
        [..., size].
    """
    gate, value = halves(read, weights)
    return (1 - gate) * source + gate * function(value)


def halves(read: tf.Tensor, weights: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the gate of a node, and what goes into its activation function.

    Args:
        read: As for `gated`.
        weights: As for `gated`.

    Returns:
        Two tensors [..., size].
    """
    gate, value = tf.split(tf.matmul(read, weights), 2, axis=-1)
    return tf.sigmoid(gate), value


def copies(x: tf.Tensor, number: int) -> list[tf.Tensor]:
    """Returns a tensor as many times as it is read, for gradients with the same bits each time.

    TensorFlow sums the gradients of all readers by `AddN`, which begins with whichever buffer it
    can reuse: in a loop that depends on the order in which threads finish, and so do the last bits
    of a sum of three or more. The gradient of copies is one sum in their order.

    Args:
        x: The tensor.
        number: The number of readers.
    """
    if number < 3:  # two are summed alike in either order
        return [x] * number
    return tf.unstack(tf.tile(x[tf.newaxis], [number] + [1] * len(x.shape)), number)


def over_time(
    cell: Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]],
    x: tf.Tensor,
    state: tf.Tensor,
    extra: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Runs a cell over the words of a window.

    Args:
        cell: From the input of a word, [batch, size], and the hidden state before it, to the next
            state and anything else, a tensor like `extra`.
        x: The inputs, [batch, words, size].
        state: The hidden state before the first word, [batch, size].
        extra: A tensor like what the cell returns besides the state.

    Returns:
        The states, [batch, words, size], and the other tensors, [words, ...].
    """
    states, extras = tf.scan(
        lambda before, word: cell(word, before[0]), tf.transpose(x, (1, 0, 2)), (state, extra)
    )
    return tf.transpose(states, (1, 0, 2)), extras


@custom_gradient
def embedded(table: tf.Tensor, words: tf.Tensor) -> tuple[tf.Tensor, Any]:
    """Looks words up in a table; its gradient is dense, since the decoder reads the table too.

    Args:
        table: [vocabulary, size].
        words: Numbers of words, int32 of any shape.

    Returns:
        [..., size].
    """
    rows = tf.shape(table)[0]

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, None]:
        return tf.math.unsorted_segment_sum(upstream, words, rows), None

    return tf.gather(table, words), gradient


def locked_mask(
    shape: Any, rate: float, seed: tf.Tensor | None, dtype: tf.DType | str
) -> tf.Tensor | None:
    """Draws the mask of a dropout that drops the same entries at every word.

    It is the variational dropout of Gal and Ghahramani (2016), as AWD-LSTM and DARTS use it.

    Args:
        shape: Shape of the mask.
        rate: The probability with which an entry is dropped.
        seed: int32 [2]; None for no dropout.
        dtype: Dtype of the mask.

    Returns:
        Entries 0 or 1 / (1 - rate); None where nothing is dropped.
    """
    if seed is None or not rate:
        return None
    kept = tf.random.stateless_uniform(shape, seed) >= rate
    return tf.cast(kept, dtype) / tf.cast(1 - rate, dtype)


def masked(x: tf.Tensor, mask: tf.Tensor | None) -> tf.Tensor:
    """Returns the product of a tensor and a mask, or the tensor where there is no mask."""
    return x if mask is None else x * mask
