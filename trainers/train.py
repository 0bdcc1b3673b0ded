"""Trains the network of a genotype from scratch.

    python -m trainers.train --flagfile=cifar10.flags --genotype=GENOTYPE [--run_dir=DIR]

GENOTYPE is the genotype.json of a search, the name of a published genotype, or a JSON string. The
run directory receives config.flags, history.jsonl, model.keras, result.json, answers.npy with the
class that the network gives each test image, report.html, train.log, checkpoints/ and tensorboard/;
with --repeats=N, config.flags, repeats.json, report.html, repeats.log and a run directory for each
seed.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import darts_tf
from darts_tf.command_line.parsing import parse, resolved
from darts_tf.command_line.program import carry_out, run
from darts_tf.config import TrainingConfig, training_flag_lines
from darts_tf.data.datasets import run_name
from darts_tf.errors import UserError
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.results import ERRORS, SCORES
from darts_tf.spaces import space_of
from darts_tf.study.page import complete_page
from trainers import genotypes, presets
from trainers.next_step import next_command


def main(arguments: Sequence[str]) -> None:
    """Checks the arguments, then trains the network.

    Args:
        arguments: The command line without the program's name.

    Raises:
        UserError: If an argument is invalid; raised before TensorFlow is imported.
    """
    config, given = parse(
        arguments,
        TrainingConfig,
        __doc__,
        extra={
            "genotype": genotypes.TEXT,
            "run_dir": "Directory of the run; runs/<dataset>-network when empty.",
        },
        presets=presets.folder("train"),
    )
    genotype = genotypes.chosen(given["genotype"])
    config, dataset = resolved(config, space_of(genotype))
    path = given["run_dir"] or f"runs/{run_name(config.dataset)}-network"
    directory = RunDirectory(path, "train" if config.repeats == 1 else "repeats")
    begun = directory.checkpoints.is_dir()  # then its weights are in the checkpoint
    if config.initial_model and not begun and not Path(config.initial_model).is_file():
        raise UserError(
            f"--initial_model={config.initial_model}: expected the model.keras of a training, got "
            "no file"
        )

    def work() -> object:  # accessing darts_tf.train imports TensorFlow
        train = darts_tf.train if config.repeats == 1 else darts_tf.train_repeats
        return train(config, genotype, directory, data=dataset)

    if carry_out(
        directory,
        training_flag_lines(config, genotype),
        config,
        work,
    ):
        command = next_command(directory, config)
        complete_page(directory, command)
        _report(directory, config, command)


def _report(directory: RunDirectory, config: TrainingConfig, command: str) -> None:
    result = directory.read_outcome()
    if config.repeats > 1 and "reason" in result:
        print(f"stopped after {len(result['seeds'])} of {config.repeats} seeds: {result['reason']}")
    print(", ".join(f"{words} {text}" for words, text in _numbers(result)))
    if command:
        print(f"next: {command}")


def _numbers(result: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yields the words and text of each number of a result; repeats as in table 1 of the paper."""
    for name, value in result.items():
        words = SCORES.get(name, name.replace("_", " ")).lower()
        unit = " %" if name in ERRORS else ""
        if name in SCORES and isinstance(value, Mapping):
            mean, deviation, best = (value[key] for key in ("mean", "deviation", "best"))
            spread = "" if deviation is None else f" +- {deviation:.2f}"
            yield words, f"{mean:.2f}{spread}{unit} (best {best:.2f}{unit})"
        elif isinstance(value, int | float):
            yield words, f"{value:.2f}{unit}" if name in SCORES else f"{value:,}"


if __name__ == "__main__":
    sys.exit(run("train", main))
