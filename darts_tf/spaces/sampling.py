"""Genotypes drawn at random: what a search has to beat."""

import numpy as np

from darts_tf.spaces.genotype import CELLS, Genotype
from darts_tf.spaces.genotype_checks import EDGES_PER_NODE, Edge
from darts_tf.spaces.search_space import NONE, SearchSpace


def random_genotype(space: SearchSpace, rng: np.random.Generator) -> Genotype:
    """Draws a genotype uniformly from a search space (DARTS, section 3.3, random search).

    Each node of both cells reads two distinct earlier nodes, every pair alike, through operations
    of which each candidate but `none` is as likely as the others.

    Args:
        space: The search space.
        rng: Where the randomness comes from.

    Returns:
        A genotype that `derive` could have derived, the edges of a node by source.

    Raises:
        ValueError: If the space keeps another number of edges a node than a genotype has.
    """
    if space.inputs_per_node != EDGES_PER_NODE:
        raise ValueError(
            f"a genotype has {EDGES_PER_NODE} edges a node, the space {space.inputs_per_node}"
        )
    concat = tuple(range(2, space.nodes + 2))
    cells = {cell: _random_cell(space, rng) for cell in CELLS}
    return Genotype.from_dict(cells | {f"{cell}_concat": concat for cell in CELLS})


def _random_cell(space: SearchSpace, rng: np.random.Generator) -> list[Edge]:
    operations = [name for name in space.candidates if name != NONE]
    edges: list[Edge] = []
    for node in range(2, space.nodes + 2):
        sources = sorted(rng.choice(node, EDGES_PER_NODE, replace=False))
        chosen = rng.integers(len(operations), size=EDGES_PER_NODE)
        edges += [
            (operations[which], int(source)) for which, source in zip(chosen, sources, strict=True)
        ]
    return edges
