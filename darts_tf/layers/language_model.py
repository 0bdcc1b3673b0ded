"""The language model around a recurrent cell: embedding, dropout, decoder, and the hidden state."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from darts_tf.errors import UserError
from darts_tf.layers.recurrent import embedded, locked_mask, masked

# The columns of a row of a window before its words: see `darts_tf.data.text`.
HEADER = 2
# Texts whose hidden states are kept apart: that to train on, and that to validate on.
_STREAMS = 2
_RANGE = 0.04
# Rates of dropout, as DARTS's search has them (section 3.1.2).
DROPOUT: Mapping[str, float] = {
    "word": 0.0,
    "embedding": 0.2,
    "input": 0.75,
    "hidden": 0.25,
    "output": 0.75,
}


class LanguageModel(keras.Model):
    r"""Predicts the next word of a text from all before it (DARTS, section 3.1.2).

    The embedding of a word goes through one recurrent cell; the decoder multiplies the cell's
    output by the embeddings of all words, which are its weights too, and adds a bias. With
    vocabulary $V$, size $n$ and $k$ nodes it has $V n + V + 4 n^2 + 2 k n^2$ weights.

    Hidden states go on from a window of the text to the next. The model keeps, for each of the
    texts, the states before the last window that it has seen and those after it, so that a window
    that is seen several times starts from the same states each time. A window that does not follow
    the last one starts from zeros.

    A subclass calls `set_sizes` when it is constructed, and defines `run_cell`, and `build_cell` if
    its cell has more than the weights of nodes.

    Raises:
        UserError: If it is built for more than one device.
    """

    def set_sizes(
        self,
        vocabulary: int,
        size: int,
        nodes: int,
        rows: int,
        dropout: Mapping[str, float] | None = None,
    ) -> None:
        """Sets what decides which weights there are, and how they learn.

        Args:
            vocabulary: Number of words.
            size: Size of embeddings and of the hidden state.
            nodes: Number of nodes of the cell.
            rows: Rows of a batch.
            dropout: Rates by name: `word` leaves whole words out, `embedding`, `input`, `hidden`
                and `output` drop entries, the same ones at every word of a window. Those that are
                left out are the rates of DARTS's search.

        Raises:
            ValueError: If a number is too small.
        """
        if vocabulary < 2 or size < 1 or rows < 1:
            raise ValueError(
                "expected a vocabulary of at least 2 words, a size and rows of at least 1, got "
                f"{vocabulary}, {size} and {rows}"
            )
        self.vocabulary = vocabulary
        self.size = size
        self.node_count = nodes
        self.rows = rows
        self.dropout = {**DROPOUT, **(dropout or {})}

    def build(self, images_shape: tuple[Any, ...] | None = None) -> None:
        """Creates all weights, and the variables of the hidden states."""
        del images_shape
        devices = tf.distribute.get_strategy().num_replicas_in_sync
        if devices > 1:
            raise UserError(
                "strategy: expected one device for a text, whose hidden states go on from batch to "
                f"batch, got {devices}"
            )
        self.embedding = self._weight("embedding", (self.vocabulary, self.size))
        self.decoder_bias = self.add_weight(
            shape=(self.vocabulary,), initializer="zeros", name="decoder_bias"
        )
        self.input_weights = self._weight("input_weights", (2 * self.size, 2 * self.size))
        self.node_weights = [
            self._weight(f"node_{node}_weights", (self.size, 2 * self.size))
            for node in range(1, self.node_count + 1)
        ]
        self.build_cell()
        states = (_STREAMS, self.rows, self.size)
        self.states_before = self._kept("states_before", states)
        self.states_after = self._kept("states_after", states)
        self.last_window = self._kept("last_window", (_STREAMS,), "int32")
        self.built = True

    def build_cell(self) -> None:
        """Creates what the cell has besides the weights of its nodes."""

    def run_cell(
        self,
        x: tf.Tensor,
        state: tf.Tensor,
        hidden_mask: tf.Tensor | None,
        training: bool,
        **options: Any,
    ) -> tf.Tensor:
        """Returns the hidden states after each word of a window.

        Args:
            x: The words' embeddings after their dropout, [batch, words, size].
            state: The hidden state before the first word, [batch, size].
            hidden_mask: Mask of the hidden state and of all nodes, [batch, size]; None for none.
            training: Whether normalization uses, and records, the statistics of the batch.
            **options: What `predict_window` was given.

        Returns:
            [batch, words, size].
        """
        raise NotImplementedError(f"{type(self).__name__} has to run its cell")

    def predict_window(
        self,
        windows: tf.Tensor,
        training: bool,
        seed: tf.Tensor | None = None,
        keep: bool = True,
        **options: Any,
    ) -> tf.Tensor:
        """Returns the logits of the word after each word of a window.

        Args:
            windows: For each row the number of the text, the number of the window in it, and the
                words, int32 [rows, 2 + words].
            training: Whether normalization uses, and records, the statistics of the batch.
            seed: Seed of dropout, int32 [2]; None for none, and so without training.
            keep: Whether the hidden states are kept for the next window.
            **options: More arguments of `run_cell`.

        Returns:
            [rows, words, vocabulary].
        """
        return self.states_and_logits(windows, training, seed, keep, **options)[1]

    def states_and_logits(
        self,
        windows: tf.Tensor,
        training: bool,
        seed: tf.Tensor | None = None,
        keep: bool = True,
        **options: Any,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the hidden states after each word, before their dropout, and the logits.

        Args:
            windows: As for `predict_window`.
            training: As for `predict_window`.
            seed: As for `predict_window`.
            keep: As for `predict_window`.
            **options: As for `predict_window`.

        Returns:
            [rows, words, size] and [rows, words, vocabulary].
        """
        stream, place, words = windows[0, 0], windows[0, 1], windows[:, HEADER:]
        masks = self._masks(tf.shape(words)[0], seed if training else None)
        table = self.value_of(self.embedding)
        x = embedded(masked(table, masks["word"]), words)
        for name in ("embedding", "input"):
            x = _masked_words(x, masks[name])
        before = self._state_before(stream, place)
        states = self.run_cell(x, before, masks["hidden"], training, **options)
        if keep:
            self._keep(stream, place, before, tf.stop_gradient(states)[:, -1])
        return states, self._decoded(_masked_words(states, masks["output"]))

    def go_on(self, words: tf.Tensor, state: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Reads words from a given hidden state on, without dropout, and keeps nothing.

        Args:
            words: int32 [rows, words], any number of each.
            state: The hidden state before the first word, [rows, size].

        Returns:
            Logits, [rows, words, vocabulary], and the next hidden state, [rows, size].
        """
        x = embedded(self.value_of(self.embedding), words)
        states = self.run_cell(x, state, None, training=False)
        return self._decoded(states), states[:, -1]

    def _decoded(self, states: tf.Tensor) -> tf.Tensor:
        """Returns logits, [rows, words, vocabulary], of hidden states, [rows, words, size]."""
        table = self.value_of(self.embedding)
        scores = tf.matmul(tf.reshape(states, (-1, self.size)), table, transpose_b=True)
        scores += self.value_of(self.decoder_bias)
        rows, words, _ = tf.unstack(tf.shape(states))
        return tf.reshape(scores, (rows, words, self.vocabulary))

    def value_of(self, variable: keras.Variable) -> tf.Tensor:
        """Returns the value of a weight in the dtype of the computation."""
        return tf.cast(tf.convert_to_tensor(variable.value), self.compute_dtype)

    @property
    def state_variables(self) -> list[keras.Variable]:
        """The variables of the hidden states."""
        return [self.states_before, self.states_after, self.last_window]

    def _masks(self, rows: tf.Tensor, seed: tf.Tensor | None) -> dict[str, tf.Tensor | None]:
        masks: dict[str, tf.Tensor | None] = {}
        for number, (name, rate) in enumerate(self.dropout.items()):
            own = None if seed is None else tf.random.experimental.stateless_fold_in(seed, number)
            shape = (self.vocabulary, 1) if name == "word" else (rows, self.size)
            masks[name] = locked_mask(shape, rate, own, self.compute_dtype)
        return masks

    def _state_before(self, stream: tf.Tensor, place: tf.Tensor) -> tf.Tensor:
        """Returns the hidden state before a window, zeros where it follows none."""
        last = self.last_window.value[stream]
        again = self.states_before.value[stream]
        after = self.states_after.value[stream]
        follows = tf.where(place == last + 1, after, tf.zeros_like(after))
        state = tf.where(place == 0, tf.zeros_like(after), tf.where(place == last, again, follows))
        return tf.stop_gradient(tf.cast(state, self.compute_dtype))

    def _keep(
        self, stream: tf.Tensor, place: tf.Tensor, before: tf.Tensor, after: tf.Tensor
    ) -> None:
        for variable, value in (
            (self.states_before, before),
            (self.states_after, tf.stop_gradient(after)),
            (self.last_window, place),
        ):
            own = tf.range(_STREAMS) == stream
            own = tf.reshape(own, (-1,) + (1,) * (len(variable.shape) - 1))
            value = tf.cast(value, variable.dtype)[tf.newaxis]
            variable.value.assign(tf.where(own, value, variable.value))

    def _weight(self, name: str, shape: tuple[int, ...]) -> keras.Variable:
        uniform = keras.initializers.RandomUniform(-_RANGE, _RANGE)
        return self.add_weight(shape=shape, initializer=uniform, name=name)

    def _kept(self, name: str, shape: tuple[int, ...], dtype: str | None = None) -> keras.Variable:
        return self.add_weight(
            shape=shape,
            initializer="zeros",
            dtype=dtype,
            trainable=False,
            autocast=False,
            name=name,
        )


def _masked_words(x: tf.Tensor, mask: tf.Tensor | None) -> tf.Tensor:
    """Masks every word of a window alike: [batch, words, size] by [batch, size]."""
    return x if mask is None else masked(x, mask[:, tf.newaxis])
