"""The paper's tables 1 to 3 with commands and with our counts: `python -m benchmarks.counts`.

Prints the tables and lists of docs/paper.md. Every network is built as by the command of its row,
and counted without the auxiliary head. This takes about a minute.
"""

import shlex
import sys
from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

from benchmarks import table
from benchmarks.command_line import Parser
from benchmarks.facts.paper import TABLES, Row
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


# The columns of the table of counts, with the training presets whose rows they count.
_DATA = {
    "CIFAR-10": ("cifar10", "cifar10_large"),
    "CIFAR-100": ("cifar100", "cifar100_large"),
    "Tiny-ImageNet": ("tiny_imagenet",),
    "ImageNet": ("imagenet", "imagenet_se", "imagenet_proxyless"),
}
# What a network has besides its genotype, by training preset.
_LARGE = "50 channels"
_MORE = {"cifar10_large": _LARGE, "cifar100_large": _LARGE, "imagenet_se": "squeeze, excitation"}
COUNTED = (
    "genotype",
    "CIFAR-10",
    "CIFAR-100",
    "CIFAR multiply-adds",
    "Tiny-ImageNet",
    "Tiny-ImageNet multiply-adds",
    "ImageNet",
    "ImageNet multiply-adds",
)
_WEIGHTS = dict(zip(_DATA, (COUNTED[1], COUNTED[2], COUNTED[4], COUNTED[6]), strict=True))
# A network for CIFAR-100 is that for CIFAR-10 with a larger classifier: 0.05 million more.
_ADDS = dict(zip(_DATA, (COUNTED[3], COUNTED[3], COUNTED[5], COUNTED[7]), strict=True))


def counts_table(counted: Callable[[Row], Counts]) -> str:
    """Returns the counts of every network of the paper as one Markdown table.

    Args:
        counted: Returns the counts of a row that has a published genotype.
    """
    lines: dict[tuple[str, str], dict[str, str]] = {}
    for row in (row for rows in TABLES.values() for row in rows if row.genotype):
        data = next(name for name, presets in _DATA.items() if row.tested in presets)
        more = _MORE.get(row.tested, "")
        line = lines.setdefault((row.genotype, more), dict.fromkeys(COUNTED, ""))
        size = counted(row)
        line["genotype"] = f"`{row.genotype}`" + f", {more}" * bool(more)
        line[_WEIGHTS[data]] = f"{size.parameters:,}{_printed(row.parameters)}"
        line[_ADDS[data]] = f"{size.multiply_adds / 1e6:.1f}{_printed(row.multiply_adds)}"
    return table.markdown(COUNTED, lines.values())


def _printed(number: str) -> str:
    return "" if number == "-" else f" ({number})"


def markdown(number: int) -> str:
    """Returns the rows of one of the paper's tables, with its errors, as Markdown.

    Args:
        number: 1, 2 or 3.
    """
    columns = ("row", "trained on", "genotype", "paper's error (%)")
    values = (
        (row.name.replace("*", r"\*"), f"`{row.tested}`", row.what, row.errors)
        for row in TABLES[number]
    )
    return table.markdown(columns, [dict(zip(columns, each, strict=True)) for each in values])


def commands(number: int) -> str:
    """Returns the commands of one of the paper's tables, each once, as lines of a shell.

    Args:
        number: 1, 2 or 3.
    """
    lines: list[str] = []
    for row in TABLES[number]:
        new = [command for command in row.commands() if command not in lines]
        lines += [f"# {row.name}, {row.tested}: {row.errors} %", *new] if new else []
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> None:
    """Prints the tables.

    Args:
        arguments: The command line without the program's name.

    Raises:
        UserError: If there is an argument.
    """
    Parser("benchmarks.counts", __doc__).parse_args(arguments)
    print(counts_table(count))
    for number in TABLES:
        print(f"\nTable {number}\n\n{markdown(number)}\n\n{commands(number)}")


if __name__ == "__main__":
    sys.exit(run("counts", main))
