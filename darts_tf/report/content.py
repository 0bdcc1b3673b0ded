"""The data that a page's script draws, and texts that several pages have in common."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from darts_tf.config import RunConfig, SearchConfig, TrainingConfig
from darts_tf.report.geometry import layouts
from darts_tf.report.glossary import explained_terms
from darts_tf.report.pictures.drawing import caption
from darts_tf.report.runs import Run
from darts_tf.runs.description import Description
from darts_tf.runs.programs import Program
from darts_tf.spaces import operations
from darts_tf.spaces.genotype import Genotype

Values = Sequence[float | None]
# The settings of a run that did not write down their texts.
_SETTINGS: Mapping[Program, type[RunConfig]] = {
    "search": SearchConfig,
    "train": TrainingConfig,
    "repeats": TrainingConfig,
    "tune": SearchConfig,
    "random_search": TrainingConfig,
    "study": SearchConfig,
}


def chart(
    title: str,
    series: Mapping[str, Values],
    bands: Mapping[str, tuple[Values, Values]] | None = None,
    **look: Any,
) -> dict[str, Any]:
    """Returns a chart over the epochs, or over something else that has labels.

    Args:
        title: The quantity, with its unit.
        series: Values by name, one an epoch or a label; a None is a gap. A series without any
            value is left out.
        bands: By series the low and the high values of the area around it.
        look: More for the script: `zero` to begin the axis at 0, `whole` for whole numbers only,
            `limit` a level that is marked, with `limit_name`; `labels` in place of the epochs, with
            `unit`, what one of them is; `points`, the series drawn as points, without a line;
            `operations`, whether the series are operations, which have colors of their own.
    """
    shown = [
        {"name": name, "values": list(values), **_band((bands or {}).get(name))}
        for name, values in series.items()
        if any(value is not None for value in values)
    ]
    return {"title": title, "series": shown, **look}


def _band(ends: tuple[Values, Values] | None) -> dict[str, list[float | None]]:
    return {} if ends is None else {"low": list(ends[0]), "high": list(ends[1])}


def cells(
    genotypes: Sequence[Genotype | None], names: Iterable[str] = (), columns: Iterable[str] = ()
) -> dict[str, Any]:
    """Returns the cells that a page draws, and how their operations look.

    Args:
        genotypes: The genotypes, None where there is none.
        names: Further cells of the page.
        columns: Further operations of the page.

    Returns:
        `genotypes`, for each the cells by name; `layouts`, where their parts are drawn; `captions`
        of the cells; `looks` of the operations that are registered: their `family`, and their
        `color` where the page has none for that; `terms`, what
        the page's terms mean.
    """
    shown = [genotype for genotype in genotypes if genotype is not None]
    names = dict.fromkeys([*names, *(cell for genotype in shown for cell in genotype.cells)])
    edges = [edge for genotype in shown for cell in genotype.cells for edge in genotype.edges(cell)]
    used = dict.fromkeys([*columns, *(operation for operation, _, _ in edges)])
    registered = [operations.get(name) for name in operations.names() if name in used]
    return {
        "genotypes": [_drawn(genotype) for genotype in genotypes],
        "layouts": layouts(genotypes),
        "captions": {cell: caption(cell) for cell in names},
        "terms": explained_terms(used),
        "looks": {
            operation.name: {"family": operation.family}
            | ({} if operation.family in operations.COLORS else {"color": operation.color})
            for operation in registered
        },
    }


def heading(run: Run) -> str:
    """Returns the heading of a run's page: its name, its data set and the day on which it began."""
    return f"{run.name}: {run.settings.get('dataset') or 'a data set'}{day(run)}"


def day(run: Run) -> str:
    """Returns the day on which a run began, with a comma before it; nothing where it is unknown."""
    return "" if run.began is None else f", {run.began.day} {run.began:%B %Y}"


def explained(run: Run) -> list[tuple[str, str, str, bool]]:
    """Returns the settings of a run: name, value, text, and whether it is not the default."""
    description = run.description or Description.of([(_SETTINGS[run.program](), "")])
    rows = []
    for name, value in run.settings.items():
        text, default = description.settings.get(name, ("", value))
        if name != "genotype":
            rows.append((name, value, text, default != value))
    return rows


def percent(value: float | None, digits: int = 1) -> str:
    """Returns a share from 0 to 1 as a text, such as `97.1 %`."""
    return "none yet" if value is None else f"{100 * value:.{digits}f} %"


def device_days(outcome: Mapping[str, Any]) -> str:
    """Returns the cost of a run as a text: device-days, or hours where these are few."""
    cost = outcome.get("cost", {})
    days = float(cost.get("device_days", 0.0))
    if days >= 1:
        amount = f"{days:.2f} device-days"
    elif days * 24 >= 1:
        amount = f"{days * 24:.1f} device-hours"
    else:
        amount = f"{days * 1440:.1f} device-minutes"
    return f"{amount}, {cost.get('device', 'device unknown')}"


def extended(run: Run) -> str:
    """Returns the sentence that a run was extended, with a space before it, or nothing."""
    if not run.extensions:
        return ""
    return (
        f" Extended {', then '.join(run.extensions)} epochs, with the learning rates of the longer "
        "cosine from there on."
    )


def epochs_done(epochs: Sequence[int]) -> str:
    """Returns the number of epochs that are done, and how they are counted.

    Example:
        >>> epochs_done([0, 1, 2]), epochs_done([0])
        ('3, from 0 to 2', '1, number 0')
    """
    if len(epochs) == 1:
        return f"1, number {epochs[0]}"
    return f"{len(epochs)}, from {epochs[0]} to {epochs[-1]}" if epochs else "0"


def _drawn(genotype: Genotype | None) -> dict[str, Any] | None:
    """Returns the cells of a genotype by name, with the (operation, source) of each node."""
    if genotype is None:
        return None
    return {
        cell: {
            "inputs": genotype.inputs,
            "nodes": [[list(edge) for edge in node] for node in genotype.nodes(cell)],
            "output": list(genotype.output(cell)),
        }
        for cell in genotype.cells
    }
