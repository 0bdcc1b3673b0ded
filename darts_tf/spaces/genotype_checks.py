"""Names of the genotype's module, for modules that still import them from here."""

from darts_tf.errors import short
from darts_tf.spaces.genotype import EDGES_PER_NODE
from darts_tf.spaces.genotype import Pair as Edge

__all__ = ["EDGES_PER_NODE", "Edge", "short"]
