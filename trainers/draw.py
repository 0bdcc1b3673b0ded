"""Draws the cells of a genotype, as SVG, PNG or text.

    python -m trainers.draw GENOTYPE [--output=FILE.svg|FILE.png|FILE.txt] [--format=svg|png|txt]

GENOTYPE is a search's genotype.json, the name of a published genotype, or JSON itself. Without
--output the drawing goes to the terminal, as text unless --format says otherwise.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from darts_tf.errors import UserError
from darts_tf.report.pictures.drawing import picture
from darts_tf.report.pictures.text import as_text
from darts_tf.runs.output_file import overwriting
from darts_tf.settings import Settings, setting
from darts_tf.spaces.genotype import Genotype
from trainers import genotypes
from trainers.command_line import parse
from trainers.program import run

FORMATS = ("svg", "png", "txt")


@dataclass(frozen=True, kw_only=True)
class DrawSettings(Settings):
    """Settings of a drawing."""

    format: str = setting(
        "auto",
        "What to draw; auto for what the output's name says, and for text on the terminal.",
        choices=("auto", *FORMATS),
    )
    title: str = setting("", "A line above the cells.")


def main(arguments: Sequence[str]) -> None:
    """Checks everything that a user gives, then draws.

    Args:
        arguments: The command line without the program's name.

    Raises:
        UserError: If something in them is wrong. TensorFlow is never imported.
    """
    settings, given = parse(
        arguments,
        DrawSettings,
        __doc__,
        extra={
            "genotype": genotypes.TEXT,
            "output": "The file to write, whole or not at all; the terminal when empty.",
        },
        operand="genotype",
    )
    form = _format(given["output"], settings.format)
    genotype = genotypes.chosen(given["genotype"])
    if given["output"]:
        drawing = _drawn(genotype, form, settings.title)
        right = "a file in a folder that is there is right"
        with overwriting(Path(given["output"]), right) as temporary:
            temporary.write_bytes(drawing)
        print(f"wrote {given['output']}")
    elif form == "txt":
        genotypes.show(genotype, settings.title)
    elif form == "png" and sys.stdout.isatty():
        raise UserError("--format=png: is not for a terminal; --output=FILE.png is right")
    else:
        sys.stdout.buffer.write(_drawn(genotype, form, settings.title))


def _format(output: str, wanted: str) -> str:
    """Returns what to draw, as the settings and the output's name have it between them."""
    suffix = Path(output).suffix.lower().removeprefix(".")
    if wanted == "auto":
        if not output:
            return "txt"
        if suffix not in FORMATS:
            raise UserError(
                f"--output={output}: a name that ends in .svg, .png or .txt is right, or --format; "
                f"found '{Path(output).suffix}'"
            )
        return suffix
    if suffix in FORMATS and suffix != wanted:
        raise UserError(
            f"--format={wanted}: --output={output} is a name for {suffix}; the same in both is "
            "right"
        )
    return wanted


def _drawn(genotype: Genotype, form: str, title: str) -> bytes:
    if form == "txt":
        return f"{as_text(genotype, title)}\n".encode()
    return picture(genotype, form, title)


if __name__ == "__main__":
    sys.exit(run("draw", main))
