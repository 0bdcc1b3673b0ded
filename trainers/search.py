"""Searches for an architecture with early stopping (DARTS+).

    python -m trainers.search --flagfile=cifar10.flags [--run_dir=DIR] [any flag to override]

The run directory receives config.flags, history.jsonl, genotype.json, report.html, search.log,
checkpoints/ and tensorboard/.
"""

import sys
from collections.abc import Sequence

import darts_tf
from darts_tf.command_line.parsing import parse_with_plugs, resolved
from darts_tf.command_line.program import carry_out, run
from darts_tf.config import SearchConfig
from darts_tf.data.datasets import run_name
from darts_tf.runs.directory import RunDirectory
from darts_tf.searching.plugs import choose, run_flags
from darts_tf.spaces.genotype import read_genotype
from darts_tf.study.page import complete_page
from trainers import genotypes, presets
from trainers.next_step import next_command


def main(arguments: Sequence[str]) -> None:
    """Checks the arguments, then runs the search.

    Args:
        arguments: The command line without the program's name.

    Raises:
        UserError: If an argument is invalid; raised before TensorFlow is imported.
    """
    config, paths, plugs, _ = parse_with_plugs(
        arguments,
        SearchConfig,
        __doc__,
        {
            "method": darts_tf.methods,
            "space": darts_tf.spaces,
            "stop_criterion": darts_tf.criteria,
        },
        extra={"run_dir": "Directory of the run; runs/<dataset> when empty."},
        presets=presets.folder("search"),
    )
    method, criterion = plugs["method"], plugs["stop_criterion"]
    config, chosen = choose(config, method=method, criterion=criterion)
    config, dataset = resolved(config, chosen.space)
    directory = RunDirectory(paths["run_dir"] or f"runs/{run_name(config.dataset)}", "search")
    if carry_out(
        directory,
        run_flags(config, chosen),
        config,
        lambda: darts_tf.search(
            config, directory, method=method, criterion=criterion, data=dataset
        ),
    ):
        command = next_command(directory, config)
        complete_page(directory, command)
        _report(directory, command)


def _report(directory: RunDirectory, command: str) -> None:
    outcome = directory.read_json(directory.genotype)
    genotypes.show(read_genotype(outcome))
    moved = f"; {outcome['moved']}" if outcome.get("moved") else ""
    print(f"stopped after epoch {outcome.get('epoch')}: {outcome.get('reason')}{moved}")
    print(f"next: {command}")


if __name__ == "__main__":
    sys.exit(run("search", main))
