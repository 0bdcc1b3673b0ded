"""The continuous relaxation: architecture parameters, and the edge weights made from them."""

from collections.abc import Mapping
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from darts_tf.spaces import get
from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.derivation import softmax
from darts_tf.spaces.space import Space
from darts_tf.supernet.edge_weights import EdgeWeights


@keras.saving.register_keras_serializable(package="darts_tf")
class Relaxation(keras.layers.Layer):
    r"""Owns the architecture parameters (alphas) and turns them into edge weights.

    Each cell of the space has one table of alphas, with a row for each edge and a column for each
    candidate. On edge $e$ candidate $o$ has the weight (DARTS, equation 2)

    $$u_{e,o} = \exp(\alpha_{e,o}) / \sum_{o'} \exp(\alpha_{e,o'}).$$

    Alphas start at 1e-3 times a standard normal variable, as in DARTS.

    A search method with another relaxation subclasses this layer: `mix` makes the edge weights of
    one cell, and `strengths_of` the strengths that its genotype is derived from. `build` creates
    further variables after the alphas. Trainable ones are learned with the alphas. Others, such as
    a temperature or a mask, are made by `add_state` and saved with the supernet. A sampled
    relaxation draws from the seed that `mix` is given, so that the same seed draws the same sample,
    after a restart and on every device:

    >>> import keras
    >>> import tensorflow as tf
    >>> import darts_tf
    >>> @keras.saving.register_keras_serializable("example")
    ... class GumbelSoftmax(darts_tf.Relaxation):
    ...     def mix(self, cell, alphas, seed=None):
    ...         if seed is None:
    ...             return tf.nn.softmax(alphas)
    ...         uniform = tf.random.stateless_uniform(tf.shape(alphas), seed, 1e-6, 1.0)
    ...         return tf.nn.softmax(alphas - tf.math.log(-tf.math.log(uniform)))
    >>> relaxation = GumbelSoftmax(darts_tf.DARTS)
    >>> relaxation.build()
    >>> relaxation.call(tf.constant([1, 2]))["normal"].shape
    TensorShape([14, 8])

    Args:
        search_space: The search space, its name or its config.

    Attributes:
        auxiliary_skips: Whether each edge has a skip-connect beside its candidates, which
            `EdgeWeights.auxiliary` weighs; a class attribute.
    """

    auxiliary_skips: ClassVar[bool] = False

    def __init__(
        self, search_space: Space | Mapping[str, Any] | str = DARTS, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.search_space: Space = get(search_space)
        self.cells = tuple(self.search_space.cells)
        self.alphas: dict[str, Any] = {}
        self._initializer: Any = None

    def build(self) -> None:
        """Creates the alphas, [edges, candidates] for each cell."""
        for cell in self.cells:
            self._initializer = self.initial_alphas()
            self.alphas[cell] = self.add_weight(
                shape=(len(self.search_space.edges(cell)), self.search_space.width(cell)),
                initializer=self._initializer,
                autocast=False,
                name=f"alphas_{cell}",
            )
        self.built = True

    def add_state(
        self, name: str, value: Any = 0.0, shape: tuple[int, ...] = (), dtype: str | None = None
    ) -> keras.Variable:
        """Creates a variable that does not learn: a temperature, a mask, a count.

        Checkpoints hold it. A training step may assign it the same value on all replicas.

        Args:
            name: Name of the variable.
            value: The initial value, a number or an array of the shape.
            shape: Shape of the variable, by default that of a scalar.
            dtype: Dtype of the variable; None for that of the layer's variables.

        Returns:
            The variable, not trainable.
        """
        return self.add_weight(
            shape=shape,
            initializer=keras.initializers.Constant(value),
            dtype=dtype,
            trainable=False,
            autocast=False,
            aggregation="only_first_replica",
            name=name,
        )

    def initial_alphas(self) -> keras.initializers.Initializer:
        """Returns a new initializer of one table of alphas."""
        return keras.initializers.RandomNormal(stddev=1e-3)

    def initial_noise(self) -> dict[str, float]:
        """Returns the noise in the initial alphas; criteria count once the alphas move beyond it.

        A relaxation whose alphas do not start from `initial_alphas` overrides this.

        Returns:
            By cell the standard deviation of the random part of an edge's alphas: here that of the
            initializer's values, 0.0 where they are all alike.
        """
        stddev = getattr(self._initializer, "stddev", None)
        return {
            cell: float(np.std(self._initializer(table.shape)) if stddev is None else stddev)
            for cell, table in self.alphas.items()
        }

    def call(self, seed: tf.Tensor | None = None) -> dict[str, tf.Tensor | EdgeWeights]:
        """Returns the edge weights of each cell.

        Args:
            seed: Seed of the noise, int32 [2]; None for none, which is how the supernet is
                evaluated.

        Returns:
            By cell the edge weights that `mix` returned.
        """
        weights = {}
        for number, (cell, alphas) in enumerate(self.alphas.items()):
            cell_seed = None if seed is None else fold_in(seed, number)
            table = self.masked(cell, tf.convert_to_tensor(alphas.value))
            weights[cell] = self.mix(cell, table, cell_seed)
        return weights

    def expected_weights(
        self, seed: tf.Tensor | None = None
    ) -> Mapping[str, tf.Tensor | EdgeWeights]:
        """Returns the edge weights by which a cost is expected, here those of a pass.

        Args:
            seed: Seed of the pass, int32 [2]; None for no noise.

        Returns:
            By cell as `call` returns them, differentiable by the alphas.
        """
        return self.call(seed)

    def mix(
        self, cell: str, alphas: tf.Tensor, seed: tf.Tensor | None = None
    ) -> tf.Tensor | EdgeWeights:
        """Returns the edge weights of one cell.

        Args:
            cell: Name of the cell.
            alphas: Its table, [edges, candidates]; minus infinity where an edge has no candidate.
            seed: Seed of this cell's noise in this pass, int32 [2]; None for none.

        Returns:
            Weights [edges, candidates], or `EdgeWeights`.
        """
        del cell, seed
        return tf.nn.softmax(alphas)

    def architecture_parameters(self) -> dict[str, np.ndarray]:
        """Returns the alphas of each cell as arrays, [edges, candidates]."""
        return {cell: alphas.numpy() for cell, alphas in self.alphas.items()}

    def strengths(self) -> dict[str, np.ndarray]:
        """Returns for each cell the strengths that a genotype is derived from.

        Returns:
            By cell, float64 [edges, candidates], each from 0 to 1.
        """
        return {
            cell: self.strengths_of(cell, np.where(self.search_space.mask(cell), alphas, -np.inf))
            for cell, alphas in self.architecture_parameters().items()
        }

    def strengths_of(self, cell: str, alphas: np.ndarray) -> np.ndarray:
        """Returns the strengths of one cell, here the softmax of its alphas.

        Args:
            cell: Name of the cell.
            alphas: Its table, [edges, candidates]; minus infinity where an edge has no candidate.

        Returns:
            Float64 [edges, candidates], each from 0 to 1.
        """
        return softmax({cell: alphas})[cell]

    def kept(self) -> dict[str, np.ndarray]:
        """Returns which candidates still compete, here all that the space has.

        Returns:
            By cell, bool [edges, candidates]. Criterion 1* ranks these alone.
        """
        return {cell: self.search_space.mask(cell) for cell in self.cells}

    def masked(self, cell: str, table: tf.Tensor) -> tf.Tensor:
        """Returns a table, [edges, candidates], with minus infinity where there is no candidate."""
        mask = self.search_space.mask(cell)
        return table if mask.all() else tf.where(mask, table, -np.inf)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {**super().get_config(), "search_space": self.search_space.get_config()}


class Searched:
    """What a supernet of any family says of its relaxation; a base class beside `keras.Model`.

    Attributes:
        relaxation: The layer that owns the architecture parameters.
    """

    relaxation: Any
    trainable_variables: list[keras.Variable]

    def for_cells(self, by_kind: Mapping[str, Any]) -> list[Any]:
        """Returns a list with one entry for each cell of the supernet.

        Args:
            by_kind: For each cell of the space a value, such as its edge weights.
        """
        raise NotImplementedError(f"{type(self).__name__} has to say which cells it has")

    def edge_weights(self, seed: tf.Tensor | None = None) -> list[EdgeWeights | tf.Tensor]:
        """Returns the relaxation's edge weights for each cell in turn; cells of a kind share them.

        Args:
            seed: Seed of the relaxation's noise, int32 [2]; None for none.
        """
        return self.for_cells(self.relaxation.call(seed))  # __call__ wants an input

    def architecture_parameters(self) -> dict[str, np.ndarray]:
        """Returns the alphas of each cell as arrays, [edges, candidates]."""
        return self.relaxation.architecture_parameters()

    def strengths(self) -> dict[str, np.ndarray]:
        """Returns for each cell the strengths that a genotype is derived from.

        Returns:
            By cell, float64 [edges, candidates], each from 0 to 1.
        """
        return self.relaxation.strengths()

    def kept(self) -> dict[str, np.ndarray]:
        """Returns for each cell which candidates still compete, bool [edges, candidates]."""
        return self.relaxation.kept()

    def initial_noise(self) -> dict[str, float]:
        """Returns for each cell the standard deviation of the noise in its initial alphas."""
        return self.relaxation.initial_noise()

    @property
    def architecture_variables(self) -> list[keras.Variable]:
        """The alphas, which learn on validation data."""
        return self.relaxation.trainable_variables

    @property
    def weight_variables(self) -> list[keras.Variable]:
        """The weights, which learn on training data: all that is trainable but the alphas."""
        alphas = {id(variable) for variable in self.architecture_variables}
        return [variable for variable in self.trainable_variables if id(variable) not in alphas]


def relaxation_of(given: Relaxation | dict[str, Any] | None, space: Space, policy: Any) -> Any:
    """Returns the relaxation of a supernet.

    Args:
        given: The layer, or its config; None for that of DARTS.
        space: The search space.
        policy: The dtype policy of the relaxation of DARTS.
    """
    if given is None:
        return Relaxation(space, dtype=policy, name="relaxation")
    return keras.saving.deserialize_keras_object(given) if isinstance(given, dict) else given


def fold_in(seed: tf.Tensor, number: tf.Tensor | int) -> tf.Tensor:
    """Derives a new seed from a seed and a number.

    Args:
        seed: int32 [2].
        number: An integer; different numbers give different seeds.

    Returns:
        int32 [2].
    """
    return tf.random.experimental.stateless_fold_in(seed, number)
