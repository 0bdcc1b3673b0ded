"""The settings of a cost, and tables of measured costs, as far as they take no TensorFlow."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from darts_tf.config import SearchConfig
from darts_tf.errors import UserError, short
from darts_tf.spaces import operations
from darts_tf.spaces.space import Space

# The costs that are counted; any other name is the path of a table.
COUNTED = ("multiply_adds", "parameters")
_SIZES = ("layers", "init_channels")


@dataclass(frozen=True)
class CostTable:
    """Measured costs of the candidates of a supernet, such as latencies in milliseconds.

    Attributes:
        space: The name of the search space.
        layers: Number of cells of the supernet.
        init_channels: Its initial channels.
        cells: For each cell of the supernet in turn a list of edges; for each edge the costs of its
            candidates.
        fixed: The cost of the rest of the supernet.
        unit: The unit in a word.
    """

    space: str
    layers: int
    init_channels: int
    cells: tuple[tuple[tuple[float, ...], ...], ...]
    fixed: float = 0.0
    unit: str = "ms"

    def to_dict(self) -> dict[str, Any]:
        """Returns the fields, ready for JSON."""
        return dict(vars(self))

    def arrays(self, space: Space) -> tuple[np.ndarray, ...]:
        """Returns the costs of each cell as an array, [edges, width], 0 without a candidate.

        Args:
            space: The space of the supernet.

        Raises:
            UserError: If the table is not one of this space and number of layers.
        """
        names = space.supernet_cells(self.layers)
        arrays = []
        for name, edges in zip(names, self.cells, strict=False):
            expected = [len(edge.candidates) for edge in space.edges(name)]
            if [len(edge) for edge in edges] != expected:
                break
            array = np.zeros((len(expected), space.width(name)))
            for row, costs in zip(array, edges, strict=True):
                row[: len(costs)] = costs
            arrays.append(array)
        if not len(arrays) == len(names) == len(self.cells):
            raise UserError(
                f"cost: expected a table with the {self.layers} cells of the space '{space.name}', "
                f"each with the candidates of its edges; cell {len(arrays)} differs"
            )
        return tuple(arrays)


def read_cost_table(path: str) -> CostTable:
    """Reads a table of costs.

    Args:
        path: A JSON file, as `python -m trainers.latency` writes it.

    Raises:
        UserError: If there is no such file, or it holds something else.
    """
    try:
        fields = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(
            f"cost: expected one of {', '.join(COUNTED)} or a table of costs as JSON, got "
            f"{short(path)}: {error.strerror}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"cost: expected JSON in {short(path)} ({error})") from error
    if not isinstance(fields, Mapping):
        raise UserError(f"cost: expected an object in {short(path)}, got {short(fields)}")
    numbers = all(_is_whole(fields.get(name)) for name in _SIZES)
    cells: Any = fields.get("cells")
    if not isinstance(fields.get("space"), str) or not numbers or not _is_table(cells):
        raise UserError(
            f"cost: expected space, layers, init_channels and cells in {short(path)}, the cells as "
            "lists of edges, and these as lists of costs from 0"
        )
    fixed, unit = fields.get("fixed", 0.0), fields.get("unit", "ms")
    if not _is_cost(fixed) or not isinstance(unit, str):
        raise UserError(f"cost: expected a number as fixed and a word as unit in {short(path)}")
    return CostTable(
        fields["space"],
        fields["layers"],
        fields["init_channels"],
        tuple(tuple(map(tuple, cell)) for cell in cells),
        float(fixed),
        unit,
    )


def check_cost(config: SearchConfig, space: Space, takes_cost: bool) -> None:
    """Refuses settings of a cost that make no sense.

    Args:
        config: The settings of the search.
        space: The space of the search.
        takes_cost: Whether the method learns from a cost.

    Raises:
        UserError: If they make none; one line says why.
    """
    if not config.cost:
        return
    if not takes_cost:
        raise UserError(
            f"cost: expected none with the method {config.method}, which learns from no cost, got "
            f"'{config.cost}'"
        )
    if not _costs_differ(space):
        raise UserError(
            f"cost: expected none in the space '{space.name}', all of whose networks cost the "
            f"same, got '{config.cost}'"
        )
    if config.cost_reference <= 1:
        raise UserError(
            "cost_reference: expected the cost that a network should have, more than 1, "
            f"got {config.cost_reference}"
        )
    if config.cost not in COUNTED:
        table = read_cost_table(config.cost)
        made_for = {"space": table.space, "layers": table.layers}
        made_for["init_channels"] = table.init_channels
        for name, value in made_for.items():
            if value != getattr(config, name):
                raise UserError(
                    f"cost: expected a table with the search's {name}, "
                    f"{getattr(config, name)}, got one with {value}"
                )
        table.arrays(space)


def _costs_differ(space: Space) -> bool:
    """Returns whether any candidate is computed by a layer, as activation functions are not."""
    edges = (edge for cell in space.cells for edge in space.edges(cell))
    return any(operations.get(name).layer for edge in edges for name in edge.candidates)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**6


def _is_cost(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and bool(np.isfinite(value)) and value >= 0


def _is_table(cells: Any) -> bool:
    """Returns whether a value is lists of lists of lists of costs."""

    def lists(value: Any) -> bool:
        return isinstance(value, Sequence) and not isinstance(value, str) and bool(value)

    return lists(cells) and all(
        lists(cell) and all(lists(edge) and all(map(_is_cost, edge)) for edge in cell)
        for cell in cells
    )
