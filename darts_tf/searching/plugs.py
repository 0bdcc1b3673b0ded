"""The method, the space and the criterion of a search, chosen by its settings."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from darts_tf import spaces
from darts_tf.config import SearchConfig, flag_lines
from darts_tf.data.facts import DatasetFacts
from darts_tf.errors import UserError
from darts_tf.runs.description import Description
from darts_tf.searching import criteria, methods
from darts_tf.searching.cost_tables import check_cost
from darts_tf.searching.criteria.criterion import AnyCriterion
from darts_tf.searching.methods.method import Method
from darts_tf.settings import Settings
from darts_tf.spaces import operations
from darts_tf.spaces.space import Space


class Plugs(NamedTuple):
    """The plugs of one search.

    Attributes:
        method: The search method.
        space: The search space, with cells by stage where the settings ask for them.
        criterion: The criterion that stops the search.
    """

    method: Method
    space: Space
    criterion: AnyCriterion


def choose(
    config: SearchConfig,
    method: Any = None,
    space: Any = None,
    criterion: Any = None,
) -> tuple[SearchConfig, Plugs]:
    """Chooses the plugs of a search, and checks that they go together.

    Args:
        config: The settings of the search.
        method: A method, its class, name or config; None for `config.method`.
        space: A space, its class, name or config; None for `config.space`.
        criterion: A criterion, or any function from records to the reason to stop, which is taken
            as it is; or the class, name or config of a criterion, which is made from the settings
            of the search, the config's own first. None for `config.stop_criterion`.

    Returns:
        The settings, with the names of the plugs that were given, and the plugs.

    Raises:
        UserError: If there is no such plug, or they do not go together.
    """
    method = methods.get(config.method if method is None else method)
    space = spaces.get(config.space if space is None else space)
    config = replace(config, method=method.name, space=space.name)
    _check_searchable(space)
    space = space.with_layers(config.layers)
    if config.share_alphas == "stage":
        space = space.staged()
    if not all(space.edges(cell) for cell in space.cells):
        raise UserError(f"space: expected cells with edges, got the space '{space.name}'")
    _check_candidates(space)
    if method.families and space.family not in method.families:
        raise UserError(
            f"space: expected one of the family {' or '.join(method.families)} with the method "
            f"{method.name}, got '{space.name}' of the family {space.family}"
        )
    space.check_layers(config.layers)
    criterion = _criterion(config, space, criterion)
    if isinstance(criterion, criteria.Criterion):
        config = criterion.recorded(config, space)
        criterion.check(space)
    else:
        name = getattr(criterion, "__name__", "")
        config = replace(config, stop_criterion=name if name.isidentifier() else "function")
    method.check(config, space)
    space.benchmark(config.benchmark_dir)  # which refuses a folder that is none
    check_cost(config, space, method.takes_cost)
    return config, Plugs(method, space, criterion)


def run_flags(config: SearchConfig, plugs: Plugs) -> tuple[str, ...]:
    """Returns the lines of the flag file that repeats a search, those of its plugs included.

    Args:
        config: The settings that `choose` returned.
        plugs: The plugs that it returned.
    """
    lines = flag_lines(config)
    for plug in (plugs.method, plugs.criterion):
        if isinstance(plug, methods.Method | criteria.Criterion):
            lines += flag_lines(plug, prefix=f"{plug.name}_")
    return lines


def described(config: SearchConfig, plugs: Plugs, facts: DatasetFacts | None = None) -> Description:
    """Returns the description of a search's settings and space, from which its page is made.

    Args:
        config: The settings that `choose` returned.
        plugs: The plugs that it returned.
        facts: Facts of the data set, which decides some defaults; None for what the settings say.
    """
    settings: list[tuple[Settings, str]] = [(config, "")]
    for plug in (plugs.method, plugs.criterion):
        if isinstance(plug, methods.Method | criteria.Criterion):
            settings.append((plug, f"{plug.name}_"))
    decided = None if facts is None else config.decided(facts)
    return Description.of(settings, plugs.space, _reads(plugs), decided)


def _reads(plugs: Plugs) -> str:
    """Returns what genotypes are read from, and what the criterion reads, in words."""
    method = plugs.method
    if not method.reads:
        return ""
    ranks = f", and the criterion ranks the {method.ranks or 'alphas'}"
    read = {"genotypes": ", and the criterion reads these genotypes", "rankings": ranks}
    return method.reads + read.get(criteria.reads(plugs.criterion), "")


def _check_searchable(space: Space) -> None:
    try:
        space.check_searchable()
    except UserError as error:
        raise UserError(f"space: {error}") from error


def _check_candidates(space: Space) -> None:
    """Refuses candidates that only networks can have."""
    cells = set(space.cells) - set(space.wirings)
    names = {name for cell in cells for edge in space.edges(cell) for name in edge.candidates}
    for name in sorted(names & set(operations.names()) - {operations.NONE}):
        operation = operations.get(name)
        if operation.layer is None and not operation.activation:
            raise UserError(
                f"space: expected candidates that a supernet can compute, got '{name}' in the "
                f"space '{space.name}'"
            )


def _criterion(config: SearchConfig, space: Space, criterion: Any) -> AnyCriterion:
    """Returns a criterion, made from the settings of the search unless it is one already.

    A config's own settings take precedence over those of the search.
    """
    if isinstance(criterion, criteria.Criterion):
        return criterion
    if callable(criterion) and not isinstance(criterion, type):
        return criterion
    plug = criteria.get(config.stop_criterion if criterion is None else criterion)
    made = type(plug).from_search(config, space)
    if not isinstance(criterion, Mapping):
        return made
    return replace(made, **{name: getattr(plug, name) for name in criterion if name != "name"})
