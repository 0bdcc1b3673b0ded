"""The assignment of a supernet's weights to candidate operations."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from darts_tf.supernet.model import Supernet

# The number of the cell in the supernet, that of the edge in the cell, and the candidate's column.
Place = tuple[int, int, int]


def places(supernet: Supernet) -> list[Place | None]:
    """Returns for each of `supernet.weight_variables` the place of its candidate.

    Args:
        supernet: A built supernet.

    Returns:
        One place for each weight, None for weights outside of candidates.
    """
    place_of: dict[int, Place] = {}
    for number, cell in enumerate(supernet.cells):
        for row, edge in enumerate(cell.edges):
            for name, operation in edge.operations.items():
                place = (number, row, edge.candidates.index(name))
                place_of |= {id(variable): place for variable in operation.trainable_variables}
    return [place_of.get(id(variable)) for variable in supernet.weight_variables]


def spread(supernet: Supernet, tables: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    """Returns for each weight its candidate's entry of a table, False outside of candidates.

    Args:
        supernet: A built supernet.
        tables: For each cell of the supernet in turn, bool [edges, candidates].

    Returns:
        A bool scalar for each of `supernet.weight_variables`.
    """
    width = max(table.shape[1] for table in tables)
    starts = np.cumsum([0, *(table.shape[0] for table in tables)])
    rows = [tf.pad(table, [[0, 0], [0, width - table.shape[1]]]) for table in tables]
    # One more entry, False, is for weights outside of candidates.
    entries = tf.pad(tf.reshape(tf.concat(rows, 0), [-1]), [[0, 1]])
    numbers = [
        starts[-1] * width if place is None else (starts[place[0]] + place[1]) * width + place[2]
        for place in places(supernet)
    ]
    return tf.unstack(tf.gather(entries, np.array(numbers, np.int32)))
