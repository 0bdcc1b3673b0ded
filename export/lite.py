"""Exports a trained model as a LiteRT file, for phones and small devices.

    python -m export.lite --model=RUN/model.keras --output=FILE.tflite

The class names come from the result.json beside the model, the words of a language model from its
vocabulary.json. docs/formats.md explains how to run the file.
"""

import sys
from collections.abc import Sequence

import darts_tf
from darts_tf.command_line.program import run
from export import single_file


def main(arguments: Sequence[str]) -> None:
    """Checks the arguments, then exports.

    Args:
        arguments: The command line without the program's name.

    Raises:
        UserError: If an argument is wrong.
    """
    given = single_file.read(arguments, __doc__, ".tflite")
    print(f"wrote {darts_tf.export_lite(*given)}")


if __name__ == "__main__":
    sys.exit(run("lite", main))
