"""Draws the cells of a genotype, as SVG, PNG or text.

    python -m trainers.draw GENOTYPE [--output=FILE.svg|FILE.png|FILE.txt] [--format=svg|png|txt]
        [--dark] [--solid] [--nolegend]

GENOTYPE is the genotype.json of a search, the name of a published genotype, or a JSON string.
Without --output the drawing is printed to the terminal, as text by default.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from darts_tf.command_line.parsing import parse
from darts_tf.command_line.program import run
from darts_tf.errors import UserError
from darts_tf.report.pictures.drawing import Look, picture
from darts_tf.report.pictures.text import as_text
from darts_tf.runs.output_file import overwriting
from darts_tf.settings import Settings, setting
from darts_tf.spaces.genotype import Genotype
from trainers import genotypes

FORMATS = ("svg", "png", "txt")


@dataclass(frozen=True, kw_only=True)
class DrawSettings(Settings):
    """Settings of a drawing."""

    format: str = setting(
        "auto",
        "Format of the drawing; auto for that of the output's suffix, or text on the terminal.",
        choices=("auto", *FORMATS),
    )
    title: str = setting("", "Title above the cells.")
    dark: bool = setting(False, "Colors for a dark ground, in a picture.")
    solid: bool = setting(
        False, "A ground, white or dark, in a picture; without, it is transparent."
    )
    legend: bool = setting(True, "Explain the colors below the cells, in a picture.")


def main(arguments: Sequence[str]) -> None:
    """Checks the arguments, then draws the genotype.

    Args:
        arguments: The command line without the program's name.

    Raises:
        UserError: If an argument is invalid. TensorFlow is never imported.
    """
    settings, given = parse(
        arguments,
        DrawSettings,
        __doc__,
        extra={
            "genotype": genotypes.TEXT,
            "output": "The file to write, atomically; the terminal when empty.",
        },
        operand="genotype",
    )
    form = _format(given["output"], settings.format)
    genotype = genotypes.chosen(given["genotype"])
    if given["output"]:
        drawing = _draw(genotype, form, settings)
        expected = "expected a file in an existing folder"
        with overwriting(Path(given["output"]), expected) as temporary:
            temporary.write_bytes(drawing)
        print(f"wrote {given['output']}")
    elif form == "txt":
        genotypes.show(genotype, settings.title)
    elif form == "png" and sys.stdout.isatty():
        raise UserError("--format=png: expected --output=FILE.png, got the terminal")
    else:
        sys.stdout.buffer.write(_draw(genotype, form, settings))


def _format(output: str, wanted: str) -> str:
    """Returns the format of the drawing, from the settings and the suffix of the output."""
    suffix = Path(output).suffix.lower().removeprefix(".")
    if wanted == "auto":
        if not output:
            return "txt"
        if suffix not in FORMATS:
            raise UserError(
                f"--output={output}: expected a name that ends in .svg, .png or .txt, or --format; "
                f"got '{Path(output).suffix}'"
            )
        return suffix
    if suffix in FORMATS and suffix != wanted:
        raise UserError(
            f"--format={wanted}: expected an --output that ends in .{wanted}, got --output={output}"
        )
    return wanted


def _draw(genotype: Genotype, form: str, settings: DrawSettings) -> bytes:
    if form == "txt":
        return f"{as_text(genotype, settings.title)}\n".encode()
    look = Look(settings.dark, settings.solid, settings.legend)
    return picture(genotype, form, settings.title, look=look)


if __name__ == "__main__":
    sys.exit(run("draw", main))
