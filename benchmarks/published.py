"""Criteria on the searches that RobustDARTS's authors published: `python -m benchmarks.published`.

It reads the text logs of a clone of https://github.com/automl/RobustDARTS, folder
`experiments/search_logs`: searches by DARTS in S1 on CIFAR-10 and in S3 on SVHN, at several drop
path rates and weight decays, and, where they were published, the Hessians of the validation loss
with respect to the alphas. A row is the mean over the seeds of a setting: the skip-connects of the
normal cell by epoch; after which epoch Criterion 1, Criterion 1 from epoch 10 on, and the curvature
stop (RobustDARTS, section 4.3) would have ended the searches, one number a seed, `-` where they
never would; and the validation error of the supernet in the end, in percent.

The logs have no alphas, so that chance counts for Criterion 1 in the first epochs.
"""

import json
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import numpy as np

from benchmarks import table
from benchmarks.command_line import Parser, prepare_output
from darts_tf.command_line.program import run
from darts_tf.errors import UserError
from darts_tf.runs.history import EpochRecord
from darts_tf.runs.search_log import read_search_log
from darts_tf.searching.criteria import Curvature, SkipConnects
from darts_tf.study.stops import first_stop

EPOCHS = (0, 10, 20, 30, 40, 49)
CRITERIA = {
    "Criterion 1": SkipConnects(),
    "Criterion 1 from epoch 10": SkipConnects(min_epochs=11),
    "curvature": Curvature(),
}
COLUMNS = (
    "space",
    "drop path",
    "weight decay",
    "searches",
    *(f"epoch {epoch}" for epoch in EPOCHS),
    *CRITERIA,
    "error %",
)
_SETTING = re.compile(r"(?P<drop>[\d.]+)_(?P<decay>[\d.]+)-\d+")


class Published(NamedTuple):
    """A published search.

    Attributes:
        space: Its space and data set, such as `s1/cifar10`.
        drop_path: Its drop path rate.
        weight_decay: Its weight decay.
        records: One record an epoch.
    """

    space: str
    drop_path: float
    weight_decay: float
    records: tuple[EpochRecord, ...]


def read(folder: Path) -> list[Published]:
    """Reads all searches of a folder.

    Args:
        folder: `experiments/search_logs` of a clone.

    Raises:
        UserError: If there are none, or a file cannot be read.
    """
    searches = []
    for path in sorted(folder.glob("s*/*/*/log_*.txt")):
        setting = _SETTING.fullmatch(path.parent.name)
        if setting is None:
            continue
        space = path.parent.parent.relative_to(folder).as_posix()
        curvatures = _curvatures(path.with_name(path.stem.replace("log", "derivatives") + ".json"))
        records = tuple(
            replace(record, measures={"curvature": curvatures[record.epoch]})
            if record.epoch in curvatures
            else record
            for record in read_search_log(path)
        )
        searches.append(Published(space, float(setting["drop"]), float(setting["decay"]), records))
    if not searches:
        raise UserError(
            f"{folder}: expected the folder experiments/search_logs of a clone, got no logs of the "
            "form s1/cifar10/0.0_0.0003-2516843/log_1.txt"
        )
    return searches


def _curvatures(path: Path) -> dict[int, float]:
    """Returns by epoch the largest eigenvalue of the Hessians in a file, none without a file."""
    if not path.is_file():
        return {}
    found = {}
    decoder, text = json.JSONDecoder(), path.read_text(encoding="utf-8").strip()
    while text:
        try:
            line, end = decoder.raw_decode(text)
            hessian = np.array(line["H"], float)
            found[int(line["epoch"])] = float(np.linalg.eigvalsh((hessian + hessian.T) / 2)[-1])
        except (ValueError, LookupError, TypeError, np.linalg.LinAlgError) as error:
            raise UserError(f"{path}: expected Hessians by epoch, got others ({error})") from error
        text = text[end:].lstrip()
    return found


def rows(searches: Iterable[Published]) -> list[dict[str, str]]:
    """Returns a row of `COLUMNS` for each setting.

    Args:
        searches: The searches.
    """
    groups: dict[tuple[str, float, float], list[Published]] = {}
    for one in searches:
        groups.setdefault(one[:3], []).append(one)
    return [_row(group) for _, group in sorted(groups.items())]


def _row(group: Sequence[Published]) -> dict[str, str]:
    first = group[0]
    row = {
        "space": first.space,
        "drop path": f"{first.drop_path:g}",
        "weight decay": f"{first.weight_decay:g}",
        "searches": str(len(group)),
    }
    for epoch in EPOCHS:
        counts = [
            record.skip_connects["normal"]
            for one in group
            for record in one.records
            if record.epoch == epoch
        ]
        row[f"epoch {epoch}"] = f"{fmean(counts):.1f}" if counts else ""
    for name, criterion in CRITERIA.items():
        told = []
        for one in group:
            if any(criterion.measured(n) for n in range(2)) and not one.records[0].measures:
                continue  # its curvature was not published
            stop = first_stop(criterion, one.records)
            told.append("-" if stop is None else str(stop.epoch))
        row[name] = " ".join(told)
    errors = [
        100 * (1 - accuracy)
        for one in group
        if (accuracy := one.records[-1].valid_accuracy) is not None
    ]
    row["error %"] = f"{fmean(errors):.1f}" if errors else ""
    return row


def main(arguments: Sequence[str]) -> None:
    """Prints the table, and writes it as CSV.

    Args:
        arguments: The command line without the program's name.

    Raises:
        UserError: If an argument is invalid, or a file cannot be read.
    """
    parser = Parser("benchmarks.published", __doc__)
    parser.add_argument("folder", type=Path, help="experiments/search_logs of a clone")
    parser.add_argument("--output", type=Path, help="CSV file; none by default")
    options = parser.parse_args(arguments)
    if options.output is not None:
        prepare_output(options.output)
    found = rows(read(options.folder))
    if options.output is not None:
        table.write(options.output, COLUMNS, found)
    print(table.markdown(COLUMNS, found))


if __name__ == "__main__":
    sys.exit(run("published", main))
