"""The paper's tables 1 to 3 with commands and with our counts: `python -m benchmarks.counts`.

Prints the three tables of docs/paper.md. Every network is built as by the command of its row, and
counted without the auxiliary head. This takes about a minute.
"""

import shlex
import sys
from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

from benchmarks import table
from benchmarks.command_line import Parser
from benchmarks.paper import TABLES, Row
from darts_tf.command_line.parsing import parse
from darts_tf.command_line.program import run
from darts_tf.config import TrainingConfig
from darts_tf.networks.spec import NetworkSpec
from darts_tf.spaces import zoo
from trainers import presets

# Height and width of an image, and number of classes.
IMAGES = {"cifar10": (32, 10), "cifar100": (32, 100), "tiny_imagenet": (64, 200)}
IMAGES["imagenet"] = (224, 1000)


class Counts(NamedTuple):
    """Size of a network for inference.

    Attributes:
        parameters: Number of trainable weights.
        multiply_adds: Multiply-adds of convolutions and dense layers for one image.
    """

    parameters: int
    multiply_adds: int


def settings(row: Row) -> TrainingConfig:
    """Returns the settings of the training run in the commands of a row."""
    words = shlex.split(row.commands()[-1])[3:]
    extra = {"genotype": "", "run_dir": ""}
    return parse(words, TrainingConfig, "", extra=extra, presets=presets.folder("train"))[0]


def count(row: Row) -> Counts:
    """Builds the network of a row with a published genotype and returns its counts."""
    config = settings(row)
    side, classes = IMAGES[config.dataset]
    return _count(
        NetworkSpec(
            zoo.get(row.genotype),
            (side, side, 3),
            classes,
            config.layers,
            config.init_channels,
            config.stem,
            config.squeeze_excite,
        )
    )


@cache
def _count(spec: NetworkSpec) -> Counts:
    from darts_tf.networks.complexity import multiply_adds, parameters
    from darts_tf.networks.network import build_network

    network = build_network(spec)
    return Counts(parameters(network), multiply_adds(network))


def markdown(number: int, counted: Callable[[Row], Counts]) -> str:
    """Returns one of the paper's tables as Markdown.

    Args:
        number: 1, 2 or 3.
        counted: Returns the counts of a row that has a published genotype.
    """
    columns = ["row", "trained on", "genotype", "parameters", "paper (M)"]
    columns += ["multiply-adds (M)"] + ["paper's (M)"] * (number == 3) + ["paper's error (%)"]
    columns += ["commands"]
    lines = []
    for row in TABLES[number]:
        size = counted(row) if row.genotype else None
        cells = {
            "row": row.name.replace("*", r"\*"),
            "trained on": f"`{row.tested}`",
            "genotype": row.what,
            "parameters": f"{size.parameters:,}" if size else "-",
            "paper (M)": row.parameters,
            "multiply-adds (M)": f"{size.multiply_adds / 1e6:.1f}" if size else "-",
            "paper's (M)": row.multiply_adds,
            "paper's error (%)": row.errors,
            "commands": "<br>".join(f"`{command}`" for command in row.commands()) or "none",
        }
        lines.append({column: cells[column] for column in columns})
    return table.markdown(columns, lines)


def main(arguments: Sequence[str]) -> None:
    """Prints the tables.

    Args:
        arguments: The command line without the program's name.

    Raises:
        UserError: If there is an argument.
    """
    Parser("benchmarks.counts", __doc__).parse_args(arguments)
    print("\n\n".join(f"Table {number}\n\n{markdown(number, count)}" for number in TABLES))


if __name__ == "__main__":
    sys.exit(run("counts", main))
