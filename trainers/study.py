"""Compares stopping rules and methods over many searches, and trains the cells that they choose.

    python -m trainers.study --flagfile=digits_smoke.flags [--run_dir=DIR] [any flag to override]

The run directory receives config.flags, study.log, searches/, networks/, cells.csv, epochs.csv,
study.png, report.html and study.json. The command given again goes on where it was ended. With
--dry_run it prints the hours that the study would take on this machine, for which no data set is
needed.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import darts_tf
from darts_tf.command_line.parsing import parse_with_plugs, resolved
from darts_tf.command_line.program import carry_out, run
from darts_tf.data.datasets import run_name
from darts_tf.data.sources.catalog import DATASETS
from darts_tf.report.columns import aligned
from darts_tf.report.study import span_text
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.quality import quality_of
from darts_tf.searching.plugs import choose, run_flags
from darts_tf.settings import setting
from darts_tf.study.config import StudyConfig
from trainers import presets


@dataclass(frozen=True, kw_only=True)
class StudySettings(StudyConfig):
    """Settings of a study, and whether it is only to be estimated."""

    dry_run: bool = setting(
        False, "Whether to print the hours on this machine, and to run nothing.", recorded=False
    )


def main(arguments: Sequence[str]) -> None:
    """Checks the arguments, then runs the study.

    Args:
        arguments: The command line without the program's name.

    Raises:
        UserError: If an argument is invalid; raised before TensorFlow is imported.
    """
    given, paths, plugs, _ = parse_with_plugs(
        arguments,
        StudySettings,
        __doc__,
        {"method": darts_tf.methods, "space": darts_tf.spaces},
        extra={"run_dir": "Directory of the study; runs/<dataset>-study when empty."},
        presets=presets.folder("study"),
    )
    method = plugs["method"]
    named, chosen = choose(given, method=method)
    if given.dry_run:
        _estimate(given)
        return
    config, dataset = resolved(given, chosen.space)
    flags = run_flags(named.resolved(dataset.facts), chosen)
    path = paths["run_dir"] or f"runs/{run_name(config.dataset)}-study"
    directory = RunDirectory(path, "study")
    carry_out(
        directory,
        flags,
        config,
        lambda: darts_tf.run_study(config, directory, method=method, data=dataset),
    )
    _report(directory)


def _estimate(config: StudySettings) -> None:
    """Prints the hours that the study would take, also where its data set is not in place."""
    if config.dataset in DATASETS:
        facts = DATASETS[config.dataset].resized(config.image_size)
        config = config.resolved(facts)
    else:
        config, dataset = resolved(config)
        facts = dataset.facts
    from darts_tf.study.pace import estimate

    print(estimate(config, darts_tf.spaces.get(config.space), facts))


def _report(directory: RunDirectory) -> None:
    finished = directory.outcome.exists()
    outcome = directory.read_json(directory.outcome if finished else directory.table)
    if "ended_by_hand" in outcome:
        print(f"{outcome['reason']}; the same command goes on")
    quality = quality_of(name for row in outcome["rows"] for name in row)
    rows = [["method", "rule", "searches", quality.of_test.lower(), "to the end", "to random"]]
    for row in outcome["rows"]:
        spans = [span_text(row[name]) for name in (quality.row, "to_end", "to_random")]
        rows.append([row["method"], row["rule"], str(row["searches"]), *spans])
    print("\n".join(aligned(rows, left=len(rows[0]))))
    print(f"page: {directory.report}")


if __name__ == "__main__":
    sys.exit(run("study", main))
