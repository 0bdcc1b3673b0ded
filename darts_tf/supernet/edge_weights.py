"""The weights that a relaxation gives to the edges of a cell."""

from typing import NamedTuple

import tensorflow as tf


class EdgeWeights(NamedTuple):
    """The weights by which the edges of one kind of cell mix their candidates.

    Row e belongs to edge e of the space, column c to candidate c of that edge. Edges with fewer
    candidates than the widest one use the first columns of their row.

    Attributes:
        candidates: Weight of each candidate, float [edges, width] (DARTS, equation 2: the softmax
            of the alphas).
        edges: Factor of each edge's sum, float [edges]; None for 1. With partial channels it also
            multiplies the channels that pass by (PC-DARTS, eq. 5).
        chosen: Column of the only candidate that an edge computes, int32 [edges], -1 for an edge
            that computes none; None computes all (GDAS, section 3.2).
        skip_dropout: Probability with which each skip-connect of stride 1 drops an entry in
            training, a scalar; None drops none (P-DARTS, section 3.3).
        drop_path: Probability with which an edge gives nothing for an image in training, a scalar;
            each edge draws for itself, and divides the images that it keeps by the probability of
            keeping them. None drops none (SNAS).
        auxiliary: Weight of the skip-connect that each edge has beside its candidates, a scalar
            without gradient; None adds none (DARTS-, section 3.3). Cells have that skip-connect
            where the relaxation's class has `auxiliary_skips`.
    """

    candidates: tf.Tensor
    edges: tf.Tensor | None = None
    chosen: tf.Tensor | None = None
    skip_dropout: tf.Tensor | None = None
    drop_path: tf.Tensor | None = None
    auxiliary: tf.Tensor | None = None

    @classmethod
    def of(cls, weights: "EdgeWeights | tf.Tensor") -> "EdgeWeights":
        """Returns edge weights as they are, or takes a tensor for the weights of the candidates."""
        return weights if isinstance(weights, cls) else cls(weights)
