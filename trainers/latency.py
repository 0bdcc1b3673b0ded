"""Measures the latencies of a space's candidates on this machine, for `--cost` of a search.

    python -m trainers.latency --space=mobile --layers=21 --init_channels=32 --output=FILE.json

The file has a table of latencies: for each cell of the supernet each edge, and on each edge each
candidate as a network for inference has it. A search with the same space, layers, init_channels and
image size takes it: `--cost=FILE.json --cost_reference=LATENCY`.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from darts_tf import spaces
from darts_tf.command_line.parsing import parse
from darts_tf.command_line.program import run
from darts_tf.errors import UserError
from darts_tf.runs.output_file import overwriting
from darts_tf.settings import Settings, setting
from darts_tf.spaces.stems import STEMS


@dataclass(frozen=True, kw_only=True)
class LatencySettings(Settings):
    """What is measured."""

    space: str = setting("mobile", "Search space, by name.")
    layers: int = setting(21, "Cells of the supernet.", low=3)
    init_channels: int = setting(32, "Its initial channels.", low=2)
    image_size: int = setting(224, "Side of the images in pixels.", low=8)
    image_channels: int = setting(3, "Channels of the images.", low=1)
    classes: int = setting(1000, "Number of classes.", low=2)
    stem: str = setting("imagenet", "First layers, as in a search.", choices=tuple(STEMS))
    batch_size: int = setting(1, "Images that are computed at once.", low=1)
    unit: str = setting("ms", "Milliseconds or microseconds.", choices=("ms", "us"))
    repeats: int = setting(30, "Runs of each candidate; the median counts.", low=1)


def main(arguments: Sequence[str]) -> None:
    """Checks the arguments, measures, and writes the table.

    Args:
        arguments: The command line without the program's name.

    Raises:
        UserError: If an argument is invalid; raised before TensorFlow is imported.
    """
    settings, given = parse(
        arguments,
        LatencySettings,
        __doc__,
        extra={"output": "The JSON file to write, atomically. Required."},
    )
    output = given["output"]
    if not output:
        raise UserError("--output: expected the JSON file to write, got none")
    try:
        space = spaces.get(settings.space)
    except UserError as error:
        raise UserError(f"--space: {error}") from error
    try:
        space.check_layers(settings.layers)
    except UserError as error:
        raise UserError(f"--{error}") from error
    side = settings.image_size
    with overwriting(Path(output), "expected a file in an existing folder") as temporary:
        from darts_tf.searching.latencies import measure

        table = measure(
            space,
            settings.layers,
            settings.init_channels,
            (side, side, settings.image_channels),
            settings.classes,
            settings.stem,
            settings.batch_size,
            settings.repeats,
            settings.unit,
        )
        temporary.write_text(json.dumps(table.to_dict()), encoding="utf-8")
    times = [cost for cell in table.cells for edge in cell for cost in edge]
    print(
        f"wrote {output}: {len(times)} candidates, up to {max(times):.3g} {table.unit}; stem "
        f"and classifier {table.fixed:.3g} {table.unit}"
    )


if __name__ == "__main__":
    sys.exit(run("latency", main))
