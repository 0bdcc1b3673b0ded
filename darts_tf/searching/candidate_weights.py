"""Which weights of a supernet belong to which candidate operation."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from darts_tf.supernet.model import Supernet

# Number of the cell in the supernet, of the edge in the cell, and column of the candidate.
Place = tuple[int, int, int]


def places(supernet: Supernet) -> list[Place | None]:
    """Returns for each of `supernet.weight_variables` its candidate, None where it has none.

    Args:
        supernet: A built supernet.
    """
    place_of: dict[int, Place] = {}
    for number, cell in enumerate(supernet.cells):
        for row, edge in enumerate(cell.edges):
            for name, operation in edge.operations.items():
                place = (number, row, edge.candidates.index(name))
                place_of |= {id(variable): place for variable in operation.trainable_variables}
    return [place_of.get(id(variable)) for variable in supernet.weight_variables]


def spread(supernet: Supernet, tables: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    """Returns for each weight what a table says of its candidate, False where it has none.

    Args:
        supernet: A built supernet.
        tables: For each of its cells in turn, bool [edges, candidates].

    Returns:
        A bool scalar for each of `supernet.weight_variables`.
    """
    width = max(table.shape[1] for table in tables)
    starts = np.cumsum([0, *(table.shape[0] for table in tables)])
    rows = [tf.pad(table, [[0, 0], [0, width - table.shape[1]]]) for table in tables]
    # Behind all rows one more, for weights without a candidate.
    whole = tf.pad(tf.reshape(tf.concat(rows, 0), [-1]), [[0, 1]])
    numbers = [
        starts[-1] * width if place is None else (starts[place[0]] + place[1]) * width + place[2]
        for place in places(supernet)
    ]
    return tf.unstack(tf.gather(whole, np.array(numbers, np.int32)))
