"""The factor that a cost gives the architecture's loss, made from the settings of a search."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from darts_tf.config import SearchConfig
from darts_tf.registry import resolve
from darts_tf.searching.cost_tables import read_cost_table
from darts_tf.supernet.expected_cost import (
    CostFactor,
    Costs,
    multiply_add_costs,
    parameter_costs,
)
from darts_tf.supernet.model import Supernet

_COUNTS: Mapping[str, Callable[[Supernet], Costs]] = MappingProxyType(
    {"multiply_adds": multiply_add_costs, "parameters": parameter_costs}
)
# What makes of the costs of all cells those of a network that has only some, by the space's family.
_OF_NETWORKS: Mapping[str, str] = MappingProxyType(
    {"trellis": "darts_tf.searching.path_costs:of_paths"}
)


def cost_factor(config: SearchConfig, supernet: Supernet) -> CostFactor | None:
    """Returns the factor that `--cost` asks for; None for none.

    Args:
        config: The settings of the search.
        supernet: The supernet, built.

    Raises:
        UserError: If the table does not fit the supernet, or a network may cost 1 or less.
    """
    if not config.cost:
        return None
    if config.cost in _COUNTS:
        costs = _COUNTS[config.cost](supernet)
    else:
        table = read_cost_table(config.cost)
        costs = Costs(table.arrays(supernet.search_space), table.fixed)
    of_networks = resolve(_OF_NETWORKS.get(supernet.search_space.family))
    if of_networks is not None:
        costs = of_networks(costs, supernet, config.cost)
    factor = CostFactor(
        costs,
        config.cost_weight,
        config.cost_reference,
        config.cost_exponent,
    )
    factor.check(supernet)
    return factor
