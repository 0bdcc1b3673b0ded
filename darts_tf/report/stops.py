"""What each criterion would have done with a search: a table, and a section of its page."""

from collections.abc import Mapping
from html import escape

from darts_tf.report.parts import table
from darts_tf.runs.replays import Replay

HEADING = "What each criterion would have done"
_MOST_SHOWN = 12  # readings
_ABOUT = (
    "A replay on the epochs that are recorded: the epoch after which each reading of a criterion "
    "would have ended the search, and the epoch whose genotype it would have returned, with the "
    "skip-connects and the operations without weights of its cells and the validation {quality} of "
    "the supernet. A reading that is never met has the last epoch. With “every epoch”, those count "
    "whose alphas are still initial noise."
)


def stop_texts(replay: Replay) -> list[list[str]]:
    """Returns the stops as a table for people: the heading, and a row for each reading.

    Args:
        replay: The stops of a search.
    """
    cells = tuple(dict.fromkeys(cell for stop in replay.stops for cell in stop.skip_connects))
    quality = replay.quality
    head = ["criterion", "reading", "stop", "genotype"]
    head += [f"skips {cell}" for cell in cells] + [f"free {cell}" for cell in cells]
    rows = []
    for stop in replay.stops:
        numbers = ["never" if stop.stop_epoch is None else str(stop.stop_epoch)]
        numbers.append(str(stop.genotype_epoch))
        numbers += [_count(counts, c) for counts in (stop.skip_connects, stop.free) for c in cells]
        value = getattr(stop, quality.key)
        numbers.append("-" if value is None else quality.text(value, digits=1))
        rows.append([stop.criterion, stop.reading, *numbers])
    return [[*head, quality.name], *rows]


def section(replay: Replay) -> tuple[str, str]:
    """Returns the section of a page: its heading, and the HTML below.

    Of many readings, the first one of each criterion is shown, and all of them when asked for.

    Args:
        replay: The stops of the page's search.
    """
    head, *rows = stop_texts(replay)
    shown = table(head, rows, HEADING)
    if len(rows) > _MOST_SHOWN:
        first: dict[str, list[str]] = {}
        for row in rows:
            first.setdefault(row[0], row)
        shown = (
            f"{table(head, [*first.values()], HEADING)}<details>"
            f"<summary>All {len(rows)} readings</summary>{shown}</details>"
        )
    about = escape(_ABOUT.format(quality=replay.quality.name))
    left_out = "".join(f"<p>{escape(line)}</p>" for line in replay.left_out)
    return HEADING, f"<p>{about}</p>{shown}{left_out}"


def _count(counts: Mapping[str, int], cell: str) -> str:
    return str(counts[cell]) if cell in counts else "-"
