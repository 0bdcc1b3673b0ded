"""The supernet of recurrent cells."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from darts_tf.config import SearchConfig
from darts_tf.errors import UserError
from darts_tf.layers.language_model import LanguageModel
from darts_tf.layers.recurrent import over_time
from darts_tf.spaces import get
from darts_tf.spaces.space import Space
from darts_tf.supernet.edge_weights import EdgeWeights
from darts_tf.supernet.recurrent_cell import (
    CellWeights,
    RecurrentSearchCell,
    check_edges,
    moved_average,
)
from darts_tf.supernet.relaxation import Relaxation, Searched, relaxation_of


@keras.saving.register_keras_serializable(package="darts_tf")
class RecurrentSupernet(Searched, LanguageModel):
    r"""The language model in whose cell every edge mixes all candidates (DARTS, section 3.1.2).

    Node $j$ is the batch normalization, without scale and offset, of

    $$\sum_{i<j} \sum_o u_{i,j,o} \, (s_i + c_{i,j} \odot (o(\cdot) - s_i))$$

    where `none` adds nothing. All nodes of the cell, node 0 included, share the running averages,
    as in DARTS's code, in which every node of every word moves them. With 10,000 words and size 300
    the supernet has 4,810,000 weights and a table of 36 x 5 architecture parameters.

    Args:
        search_space: The search space, its name or its config.
        init_channels: Size of embeddings and of the hidden state.
        classes: Number of words in the vocabulary.
        relaxation: The layer that owns the architecture parameters, or its config; None for that of
            DARTS.
        rows: Rows of a batch.
        dropout: As for `LanguageModel.set_sizes`.

    Raises:
        UserError: If the method asks for what recurrent cells do not have.

    Example:

        >>> import tensorflow as tf
        >>> from darts_tf.supernet.recurrent import RecurrentSupernet
        >>> supernet = RecurrentSupernet("ptb", init_channels=4, classes=10, rows=2)
        >>> windows = tf.constant([[0, 0, 1, 2, 3], [0, 0, 4, 5, 6]])  # of text 0 the first ones
        >>> supernet(windows).shape
        TensorShape([2, 3, 10])
        >>> supernet.architecture_parameters()["recurrent"].shape
        (36, 5)
    """

    def __init__(
        self,
        search_space: Space | Mapping[str, Any] | str = "ptb",
        init_channels: int = 300,
        classes: int = 10_000,
        relaxation: Relaxation | dict[str, Any] | None = None,
        rows: int = 256,
        dropout: Mapping[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        space = get(search_space)
        (cell,) = space.cells
        self.set_sizes(classes, init_channels, space.node_count(cell), rows, dropout)
        self.search_space: Any = space
        self.cell = cell
        self.relaxation = relaxation_of(relaxation, space, self.dtype_policy)
        if self.relaxation.auxiliary_skips:
            raise _unfit("auxiliary skip-connects")
        self._cell = RecurrentSearchCell(space.edges(cell), space.output(cell))

    def build_cell(self) -> None:
        """Creates the alphas, and the running averages of all nodes."""
        if not self.relaxation.built:  # as one that comes from a config of a built supernet is
            self.relaxation.build()
        [weights] = self.edge_weights(tf.zeros(2, tf.int32))
        check_edges(EdgeWeights.of(weights))
        self.moving_mean = self._kept("moving_mean", (self.size,))
        self.moving_variance = self._kept("moving_variance", (self.size,))
        self.moving_variance.assign(tf.ones_like(self.moving_variance.value))

    def call(
        self,
        images: tf.Tensor,
        training: bool = False,
        learn: str = "all",
        seed: tf.Tensor | None = None,
        twice: bool = False,
        edge_weights: Sequence[EdgeWeights | tf.Tensor] | None = None,
    ) -> tf.Tensor:
        """Returns logits.

        Args:
            images: Windows of a text, int32 [rows, 2 + words]; see `LanguageModel`.
            training: Whether normalization uses, and records, the statistics of the batch.
            learn: Which variables get gradients: `weights`, `architecture` or `all`.
            seed: Seed of the relaxation's noise and of dropout, int32 [2]; None for neither.
            twice: Whether the result is to be differentiated twice; running averages and hidden
                states then stay as they are.
            edge_weights: The edge weights of the cell, in a list; None for the relaxation's.

        Returns:
            [rows, words, vocabulary].
        """
        if edge_weights is None:
            edge_weights = self.edge_weights(seed)
        [weights] = edge_weights
        tables = self._cell.tables(EdgeWeights.of(weights), self.compute_dtype)
        if learn == "weights":
            tables = [tf.stop_gradient(table) for table in tables]
        return self.predict_window(
            images, training, seed, not twice, tables=tables, record=not twice
        )

    def run_cell(
        self,
        x: tf.Tensor,
        state: tf.Tensor,
        hidden_mask: tf.Tensor | None,
        training: bool,
        **options: Any,
    ) -> tf.Tensor:
        """Returns the hidden states after each word of a window; see `LanguageModel.run_cell`."""
        average = tf.stack([self.moving_mean.value, self.moving_variance.value])
        weights = CellWeights(
            self.value_of(self.input_weights),
            [self.value_of(each) for each in self.node_weights],
            options["tables"],
            tf.cast(average, self.compute_dtype),
            hidden_mask,
        )
        states, statistics = over_time(
            lambda word, before: self._cell.step(word, before, weights, training),
            x,
            state,
            tf.zeros((self.node_count + 1, 2, self.size), x.dtype),
        )
        if training and options["record"]:
            statistics = tf.stop_gradient(tf.reshape(statistics, (-1, 2, self.size)))
            mean, variance = tf.unstack(moved_average(average, statistics))
            self.moving_mean.assign(mean)
            self.moving_variance.assign(variance)
        return states

    def for_cells(self, by_kind: Mapping[str, Any]) -> list[Any]:
        """Returns a list of what the only cell has.

        Args:
            by_kind: For the cell a value, such as its edge weights.
        """
        return [by_kind[self.cell]]

    @property
    def cells(self) -> tuple[()]:
        """The cells whose candidates have weights of their own: none."""
        return ()

    @property
    def passing_variables(self) -> list[keras.Variable]:
        """All that a pass moves but the hidden states, which go on in any case."""
        states = {id(variable) for variable in self.state_variables}
        return [each for each in self.non_trainable_variables if id(each) not in states]

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "search_space": self.search_space.get_config(),
            "init_channels": self.size,
            "classes": self.vocabulary,
            "rows": self.rows,
            "dropout": self.dropout,
            "relaxation": keras.saving.serialize_keras_object(self.relaxation),
        }


def arguments_of(config: SearchConfig, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the arguments of the supernet of a search.

    Args:
        config: The settings of the search.
        arguments: Those that `Supernet` would be given; there is no use for some of them.

    Raises:
        UserError: If a method wants partial channels.
    """
    if arguments["partial"] != 1:
        raise _unfit("partial channels")
    names = ("search_space", "init_channels", "classes", "relaxation", "dtype")
    return {
        **{name: arguments[name] for name in names},
        "rows": config.batch_size,
        "dropout": config.text_dropout(),
    }


def _unfit(what: str) -> UserError:
    return UserError(
        f"method: expected one whose edges a recurrent cell can have, got one with {what}"
    )
