"""Tells where each criterion would have ended a search, from its recorded history alone.

    python -m trainers.stops RUN_DIR [RUN_DIR ...] [--output=FILE.csv] [--plot=FILE.svg|FILE.png]

RUN_DIR is the directory of a search, one under way too, or the text log of one by DARTS or a
program made from it. For each criterion and each of its readings the table has the epoch after
which the search would have ended, the epoch whose genotype it would have returned, the
skip-connects ("skips") and the operations without weights ("free") of that genotype, and the
supernet's validation accuracy then, on a text its perplexity.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from darts_tf.command_line.parsing import parse_with_plugs
from darts_tf.command_line.program import run
from darts_tf.errors import UserError
from darts_tf.report.pictures.stops import StopsPanel, stops_picture
from darts_tf.runs.output_file import overwriting
from darts_tf.runs.replays import Replay
from darts_tf.searching import criteria
from darts_tf.settings import Settings, setting
from darts_tf.study.recorded import RecordedSearch, read_search
from darts_tf.study.stops import replay
from darts_tf.study.table import as_csv, as_text

_FORMS = ("svg", "png")
_EXPECTED = "expected a file in an existing folder"


@dataclass(frozen=True, kw_only=True)
class StopsSettings(Settings):
    """Which criteria are replayed."""

    criteria: str = setting("", "Names of criteria, with commas between; empty for all.")


def main(arguments: Sequence[str]) -> None:
    """Checks the arguments, then prints the tables and writes the files.

    Args:
        arguments: The command line without the program's name.

    Raises:
        UserError: If an argument is invalid, or a search cannot be read. TensorFlow is never
            imported.
    """
    parsed = parse_with_plugs(
        arguments,
        StopsSettings,
        __doc__,
        {},
        extra={
            "output": "The CSV file to write, atomically; none when empty.",
            "plot": "The picture to write, .svg or .png, atomically; none when empty.",
        },
        operands=True,
    )
    folders = [str(Path(word).expanduser()) for word in parsed.operands]
    if not folders:
        raise UserError("expected one or more directories of searches, got none")
    output, plot = parsed.extra["output"], parsed.extra["plot"]
    form = _form(plot)
    names = [name.strip() for name in parsed.settings.criteria.split(",") if name.strip()]
    plugs = [_criterion(name) for name in names or criteria.names()]
    searches = [read_search(folder) for folder in folders]
    replays = [(each, replay(each.records, each.space, plugs)) for each in searches]
    print("\n\n".join(as_text(*each) for each in replays))
    if output:
        _write("output", output, as_csv(replays).encode())
    if plot:
        _write("plot", plot, _picture(replays, form))


def _criterion(name: str) -> criteria.Criterion:
    try:
        return criteria.get(name)
    except UserError as error:
        raise UserError(f"--criteria: {error}") from error


def _form(plot: str) -> str:
    """Returns the format of the picture, from the suffix of its name."""
    form = Path(plot).suffix.lower().removeprefix(".")
    if plot and form not in _FORMS:
        raise UserError(
            f"--plot={plot}: expected a name that ends in .svg or .png, got '{Path(plot).suffix}'"
        )
    return form


def _picture(replays: Sequence[tuple[RecordedSearch, Replay]], form: str) -> bytes:
    panels = [StopsPanel(search.name, search.records, found) for search, found in replays]
    return stops_picture(panels, form)


def _write(flag: str, path: str, content: bytes) -> None:
    with overwriting(Path(path), _EXPECTED, flag) as temporary:
        temporary.write_bytes(content)
    print(f"wrote {path}")


if __name__ == "__main__":
    sys.exit(run("stops", main))
