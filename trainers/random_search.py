"""Random search, the baseline: trains random genotypes and keeps the best (DARTS, table 1).

    python -m trainers.random_search --flagfile=digits.flags [--samples=N] [--run_dir=DIR]

Networks are compared by their accuracy on held-out training images, on a text by the perplexity of
the part to validate on. The run directory receives config.flags, random_search.log, report.html, a
run directory for each seed, and genotype.json, which trainers.train takes as its --genotype.
"""

import sys
from collections.abc import Sequence

import darts_tf
from darts_tf.command_line.parsing import parse, resolved
from darts_tf.command_line.program import carry_out, run
from darts_tf.config import flag_lines
from darts_tf.data.datasets import run_name
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.quality import quality_of
from darts_tf.study.page import complete_page
from darts_tf.tuning.config import RandomSearchConfig
from trainers import presets
from trainers.next_step import next_command


def main(arguments: Sequence[str]) -> None:
    """Checks the arguments, then samples and trains genotypes.

    Args:
        arguments: The command line without the program's name.

    Raises:
        UserError: If an argument is invalid; raised before TensorFlow is imported.
    """
    config, paths = parse(
        arguments,
        RandomSearchConfig,
        __doc__,
        extra={"run_dir": "Directory of the run; runs/<dataset>-random when empty."},
        presets=presets.folder("random_search"),
    )
    config, dataset = resolved(config, darts_tf.spaces.get(config.space))
    path = paths["run_dir"] or f"runs/{run_name(config.dataset)}-random"
    directory = RunDirectory(path, "random_search")
    if carry_out(
        directory,
        flag_lines(config),
        config,
        lambda: darts_tf.random_search(config, directory, data=dataset),
    ):
        command = next_command(directory, config)
        complete_page(directory, command)
        _report(directory, command)


def _report(directory: RunDirectory, command: str) -> None:
    outcome = directory.read_json(directory.genotype)
    if "ended_by_hand" in outcome:
        print(outcome["reason"])
    for sample in outcome["tried"]:
        quality = quality_of(sample)
        score = quality.told(sample[quality.key])
        print(f"seed {sample['seed']}: validation {quality.name} {score}")
    print(f"next: {command}")


if __name__ == "__main__":
    sys.exit(run("random_search", main))
