"""The language model of a recurrent genotype: the one to train, and its twin of stock layers."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from darts_tf.errors import UserError
from darts_tf.layers.language_model import LanguageModel
from darts_tf.layers.recurrent import copies, gated, masked, over_time
from darts_tf.spaces import operations, space_of
from darts_tf.spaces.genotype import Genotype, read_genotype

FAMILY = "recurrent"


@keras.saving.register_keras_serializable(package="darts_tf")
class RecurrentNetwork(LanguageModel):
    """The language model of a recurrent genotype, to be trained (DARTS, section 3.1.2).

    With the cell of the paper, 10,000 words and size 850, as on Penn Treebank, it has 22,960,000
    weights; with 33,278 words and size 700, as on WikiText-2, 33,127,878.

    Args:
        genotype: The cell; or what `read_genotype` reads.
        vocabulary: Number of words.
        size: Size of embeddings and of the hidden state.
        rows: Rows of a batch.
        dropout: As for `LanguageModel.set_sizes`.

    Raises:
        UserError: If the genotype is not one of a recurrent cell.

    Example:

        >>> import tensorflow as tf
        >>> import darts_tf
        >>> from darts_tf.networks.recurrent import RecurrentNetwork
        >>> cell = darts_tf.zoo.get("DARTS_PTB_V2")
        >>> network = RecurrentNetwork(cell, vocabulary=10, size=4, rows=2)
        >>> windows = tf.constant([[0, 0, 1, 2, 3], [0, 0, 4, 5, 6]])  # of text 0 the first ones
        >>> network(windows).shape
        TensorShape([2, 3, 10])
    """

    def __init__(
        self,
        genotype: Genotype | Mapping[str, Any],
        vocabulary: int = 10_000,
        size: int = 850,
        rows: int = 64,
        dropout: Mapping[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._genotype = genotype = read_genotype(genotype)
        family = space_of(genotype).family
        if family != FAMILY:
            raise UserError(
                f"genotype: expected one of a recurrent cell, got one of the space "
                f"'{genotype.space}'"
            )
        (cell,) = genotype.cells
        self._edges = [node[0] for node in genotype.nodes(cell)]
        self._output = genotype.output(cell)
        self.set_sizes(vocabulary, size, len(self._edges), rows, dropout)

    @property
    def genotype(self) -> Genotype:
        """The cell."""
        return self._genotype

    def call(
        self, images: tf.Tensor, training: bool = False, seed: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Returns the logits of the word after each word.

        Args:
            images: Windows of a text, int32 [rows, 2 + words]; see `LanguageModel`.
            training: Whether there is dropout.
            seed: Its seed, int32 [2]; None for none.

        Returns:
            [rows, words, vocabulary].
        """
        return self.predict_window(images, training, seed)

    def run_cell(
        self,
        x: tf.Tensor,
        state: tf.Tensor,
        hidden_mask: tf.Tensor | None,
        training: bool,
        **options: Any,
    ) -> tf.Tensor:
        """Returns the hidden states after each word of a window; see `LanguageModel.run_cell`."""
        del training, options
        first, *others = map(self.value_of, (self.input_weights, *self.node_weights))
        functions = [_function(name) for name, _ in self._edges]
        sources = [source for _, source in self._edges]
        readers = [
            2 * sources.count(node) + (node in self._output) for node in range(len(sources) + 1)
        ]

        def cell(word: tf.Tensor, before: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            read = tf.concat([word, masked(before, hidden_mask)], -1)
            nodes = [copies(gated(before, read, first, tf.tanh), readers[0])]
            for weights, function, source in zip(others, functions, sources, strict=True):
                node, read = nodes[source].pop(), masked(nodes[source].pop(), hidden_mask)
                made = gated(node, read, weights, function)
                nodes.append(copies(made, readers[len(nodes)]))
            return tf.reduce_mean(tf.stack([nodes[i].pop() for i in self._output]), 0), nothing

        nothing = tf.zeros((), x.dtype)
        return over_time(cell, x, state, nothing)[0]

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "genotype": self._genotype.to_dict(),
            "vocabulary": self.vocabulary,
            "size": self.size,
            "rows": self.rows,
            "dropout": self.dropout,
        }


def inference_language_model(trained: RecurrentNetwork) -> keras.Model:
    """Rebuilds a trained language model from stock Keras layers, one word at a time.

    The result loads with `keras.saving.load_model` alone, wherever Keras runs.

    Example:

        >>> import numpy as np
        >>> import darts_tf
        >>> from darts_tf.networks.recurrent import RecurrentNetwork, inference_language_model
        >>> network = RecurrentNetwork(darts_tf.zoo.get("DARTS_PTB_V1"), vocabulary=10, size=4)
        >>> network.build()
        >>> model = inference_language_model(network)
        >>> state = np.zeros((1, 4), "float32")
        >>> for word in (3, 1, 4):
        ...     scores, state = map(np.asarray, model([np.array([word]), state]))
        >>> scores.shape, round(float(scores.sum()), 4)
        ((1, 10), 1.0)

    Args:
        trained: The network, built.

    Returns:
        A model from the number of a word, int32 [batch], and the hidden state before it,
        [batch, size], zeros at the beginning, to the probabilities of the words after it,
        [batch, vocabulary], and the next hidden state. Its weights are those that
        `RecurrentNetwork` has.
    """
    size, vocabulary = trained.size, trained.vocabulary
    word = keras.Input((), dtype="int32", name="word")
    before = keras.Input((size,), name="state")
    table = keras.layers.ReversibleEmbedding(vocabulary, size, name="embedding")
    read = keras.layers.Concatenate(name="input")([table(word), before])
    nodes = [_stock_node(before, read, trained.input_weights, "tanh", "node_0")]
    layers = zip(trained._edges, trained.node_weights, strict=True)
    for number, ((name, source), weights) in enumerate(layers, start=1):
        function = operations.get(name).activation
        node = nodes[source]
        nodes.append(_stock_node(node, node, weights, function, f"node_{number}"))
    outputs = [nodes[node] for node in trained._output]
    state = keras.layers.Average(name="next_state")(outputs) if outputs[1:] else outputs[0]
    # A bias alone is no stock layer, but the only row of a table is.
    nothing = keras.layers.Rescaling(0.0, name="zero")(word)
    bias = keras.layers.Embedding(1, vocabulary, name="decoder_bias")
    logits = keras.layers.Add(name="logits")([table(state, reverse=True), bias(nothing)])
    scores = keras.layers.Softmax(name="scores")(logits)
    model = keras.Model([word, before], [scores, state], name="darts_language_model")
    table.set_weights([trained.embedding.numpy()])
    bias.set_weights([trained.decoder_bias.numpy()[None]])
    return model


def _stock_node(source: Any, read: Any, weights: keras.Variable, function: str, name: str) -> Any:
    """Adds a node, s + c * (f(.) - s), of stock layers with the node's weights."""
    halves = tf.split(weights.numpy(), 2, axis=1)
    parts = {"gate": "sigmoid", "value": function}
    outputs = []
    for half, (part, activation) in zip(halves, parts.items(), strict=True):
        dense = keras.layers.Dense(
            half.shape[1], activation=activation, use_bias=False, name=f"{name}_{part}"
        )
        outputs.append(dense(read))
        dense.set_weights([half.numpy()])
    gate, value = outputs
    change = keras.layers.Subtract(name=f"{name}_change")([value, source])
    step = keras.layers.Multiply(name=f"{name}_step")([gate, change])
    return keras.layers.Add(name=name)([source, step])


def _function(name: str) -> Any:
    return keras.activations.get(operations.get(name).activation)
