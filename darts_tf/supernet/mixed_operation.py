"""The mixed operation: on one edge, all candidates weighted by the architecture (DARTS, eq. 2).

`SourceFeatures` computes once for each node what all edges from it share; `MixedOperation` computes
what belongs to one edge.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any

import keras
import tensorflow as tf

from darts_tf.layers.layouts import Layout, merge, rearranged_shape
from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.operations import SKIP_CONNECT
from darts_tf.supernet.operations import CandidateOperation, Shape, candidate, empty_target
from darts_tf.supernet.relaxation import fold_in
from darts_tf.supernet.selection import Branch, changing_if, compute_one, replicas_meet
from darts_tf.supernet.source_features import Features, layouts

# The arguments of operations from which each draws by itself.
SEEDS = ("seed", "noise_seed")

# The terms of an edge's sum: under `image` those that are images, under `phases` those in phases.
Terms = dict[str, list[tf.Tensor]]


@keras.saving.register_keras_serializable(package="darts_tf")
class MixedOperation(keras.layers.Layer):
    r"""The weighted sum of the candidates of one edge (DARTS, equation 2).

    With candidates $o$ and their weights $u_o$, an edge makes of the node $x$ that it reads

    $$\bar o(x) = \sum_o u_o \, o(x).$$

    Beside its candidates an edge may have an auxiliary skip-connect, which is added with an edge
    weight of its own (DARTS-, section 3.3).

    Args:
        channels: Channels of the node that the edge ends in.
        stride: 1 or 2.
        candidates: Names of the candidate operations, in the order of the weights; operations of
            the table in `darts_tf.operations`.
        synchronized: Whether replicas share the statistics of normalization.
        auxiliary: Whether the edge has the auxiliary skip-connect.

    Raises:
        UserError: If an operation is unknown.
        ValueError: If an operation has no layer.
    """

    def __init__(
        self,
        channels: int,
        stride: int = 1,
        candidates: Sequence[str] = DARTS.candidates,
        synchronized: bool = False,
        auxiliary: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.channels = channels
        self.stride = stride
        self.candidates = tuple(candidates)
        self.synchronized = synchronized
        self.operations: dict[str, CandidateOperation] = {}
        for name in self.candidates:
            operation = candidate(name, channels, stride, dtype=self.dtype_policy, name=name)
            if operation is not None:
                self.operations[name] = operation
        self.auxiliary: CandidateOperation | None = None
        if auxiliary:
            self.auxiliary = candidate(
                SKIP_CONNECT, channels, stride, dtype=self.dtype_policy, name="auxiliary"
            )

    @property
    def reads(self) -> tuple[str | None, ...]:
        """Name of the feature that each candidate reads; None for `none`."""
        operations = (self.operations.get(name) for name in self.candidates)
        return tuple(operation and operation.reads for operation in operations)

    @property
    def auxiliary_reads(self) -> str | None:
        """Name of the feature that the auxiliary skip-connect reads; None without one."""
        return self.auxiliary and self.auxiliary.reads

    @property
    def all_operations(self) -> tuple[CandidateOperation, ...]:
        """The layers of the candidates and, if it has one, of the auxiliary skip-connect."""
        more = () if self.auxiliary is None else (self.auxiliary,)
        return (*self.operations.values(), *more)

    def parameters(self) -> int:
        """Returns the number of the candidates' weights, once it is built."""
        return sum(operation.parameters() for operation in self.operations.values())

    def draws(self, noise: Collection[str]) -> bool:
        """Returns whether a candidate makes random draws.

        Args:
            noise: Which of the arguments `seed`, `dropout` and `noise_seed` `call` would be given.
        """
        return any(_draws(operation, noise) for operation in self.operations.values())

    def build(self, source_shape: dict[str, Shape], weights_shape: Shape | None = None) -> None:
        """Creates the weights of the candidates."""
        node = source_shape["identity"]
        layout = layouts(node[1], node[2], self.stride)
        for operation in self.all_operations:
            operation.place(layout, self.synchronized)
            operation.build(rearranged_shape(node, operation.layout))
        self.built = True

    def call(
        self,
        source: Features,
        weights: tf.Tensor,
        chosen: tf.Tensor | None = None,
        seed: tf.Tensor | None = None,
        dropout: tf.Tensor | None = None,
        noise_seed: tf.Tensor | None = None,
        auxiliary: tf.Tensor | None = None,
        training: bool = False,
    ) -> Terms:
        """Computes the weighted candidates.

        Args:
            source: The features of the node that the edge reads.
            weights: The weight of each candidate, [candidates].
            chosen: Number of the only candidate to compute, int32 scalar, -1 for none; None
                computes all.
            seed: Seed of what candidates draw, int32 [2]; None draws nothing.
            dropout: Probability with which a skip-connect of stride 1 drops an entry in training,
                a scalar; None drops none.
            noise_seed: Seed of the candidate `noise`, int32 [2]; None for its mean, zero.
            auxiliary: Weight of the auxiliary skip-connect, a scalar; None adds none.
            training: Whether normalization uses, and records, the statistics of the batch.

        Returns:
            The terms of the sum, which `total` adds up: under `image` those of the shape [batch,
            rows / stride, columns / stride, channels], under `phases` those in phases.
        """
        noise = {"seed": seed, "dropout": dropout, "noise_seed": noise_seed}
        noise = {name: value for name, value in noise.items() if value is not None}
        terms = self._compute_candidates(source, weights, training, noise, chosen)
        if auxiliary is not None:
            if self.auxiliary is None:
                raise ValueError("expected an edge with an auxiliary skip-connect to weigh")
            node = source[self.auxiliary.reads]
            terms["image"].append(self.auxiliary(node, scale=auxiliary, training=training))
        return terms

    def _compute_candidates(
        self,
        source: Features,
        weights: tf.Tensor,
        training: bool,
        noise: Mapping[str, tf.Tensor],
        chosen: tf.Tensor | None,
    ) -> Terms:
        if chosen is None:
            return self._compute_all(source, weights, training, noise)
        only = weights * tf.one_hot(chosen, len(self.candidates), dtype=weights.dtype)
        if replicas_meet(self.synchronized):
            return self._compute_all(source, only, training, noise, chosen)
        return self._compute_chosen(source, tf.reduce_sum(only), training, noise, chosen)

    def _compute_all(
        self,
        source: Features,
        weights: tf.Tensor,
        training: bool,
        noise: Mapping[str, tf.Tensor],
        changing: tf.Tensor | None = None,
    ) -> Terms:
        """Computes all candidates; only that of number `changing`, if given, changes its state."""
        terms: Terms = {"image": [], "phases": []}
        for number, weight in enumerate(tf.unstack(weights)):
            operation = self.operations.get(self.candidates[number])
            if operation is None:
                continue
            form = "phases" if operation.layout is Layout.PHASES else "image"
            with nullcontext() if changing is None else changing_if(changing == number, operation):
                terms[form].append(
                    self._apply_candidate(number, source[operation.reads], weight, training, noise)
                )
        if not self.operations:
            terms["image"].append(empty_target(source["identity"], self.stride, self.channels))
        return terms

    def _compute_chosen(
        self,
        source: Features,
        weight: tf.Tensor,
        training: bool,
        noise: Mapping[str, tf.Tensor],
        chosen: tf.Tensor,
    ) -> Terms:
        """Computes the candidate of number `chosen`, or returns zeros where it is -1."""

        def apply_and_merge(number: int, feature: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
            y = self._apply_candidate(number, feature, weight, training, noise)
            layout = self.operations[self.candidates[number]].layout
            return merge(y) if layout is Layout.PHASES else y

        zeros = partial(empty_target, stride=self.stride, channels=self.channels)
        branches = [Branch(zeros, (source["identity"],))]
        for number, name in enumerate(self.candidates):
            operation = self.operations.get(name)
            if operation is None:
                branches.append(Branch(zeros, (source["identity"],)))
            else:
                arguments = (source[operation.reads], weight)
                branches.append(Branch(partial(apply_and_merge, number), arguments, (operation,)))
        return {"image": [compute_one(chosen + 1, branches, training)], "phases": []}

    def _apply_candidate(
        self,
        number: int,
        feature: tf.Tensor,
        weight: tf.Tensor,
        training: bool,
        noise: Mapping[str, tf.Tensor],
    ) -> tf.Tensor:
        operation = self.operations[self.candidates[number]]
        arguments = {}
        if _draws(operation, noise):
            arguments = folded({name: noise[name] for name in operation.noise}, number)
        return operation(feature, scale=weight, training=training, **arguments)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "channels": self.channels,
            "stride": self.stride,
            "candidates": self.candidates,
            "synchronized": self.synchronized,
            "auxiliary": self.auxiliary is not None,
        }


def total(edges: Sequence[Terms]) -> tf.Tensor:
    """Adds up the terms of all edges that end in one node.

    Args:
        edges: The terms that `MixedOperation` returned for each edge.

    Returns:
        The node, [batch, rows, columns, channels].
    """
    image = [term for edge in edges for term in edge["image"]]
    phases = [term for edge in edges for term in edge["phases"]]
    if phases:
        image.append(merge(tf.add_n(phases)))
    return tf.add_n(image)


def folded(noise: Mapping[str, tf.Tensor], number: int) -> dict[str, tf.Tensor]:
    """Returns the arguments for one of several who draw, with seeds of its own.

    Args:
        noise: The arguments that all of them share, by name.
        number: Its number.
    """
    return {
        name: fold_in(value, number) if name in SEEDS else value for name, value in noise.items()
    }


def _draws(operation: CandidateOperation, noise: Collection[str]) -> bool:
    """Returns whether an operation makes a random draw when it is given these arguments."""
    return bool(operation.noise) and all(name in noise for name in operation.noise)
