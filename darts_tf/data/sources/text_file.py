"""Texts of one's own: `text_file:PATH`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from darts_tf.data.dataset import Dataset
from darts_tf.data.facts import DatasetFacts
from darts_tf.data.source import DataRequest, DataSource
from darts_tf.data.text import TextSplit
from darts_tf.errors import UserError

END = "<eos>"  # of each line
_PARTS = ("train", "valid", "test")
# Of the lines of a single file, which parts are to validate and to test on.
_TENTHS = (8, 9)


class TextFileSource(DataSource):
    """A text of words between spaces: a file, or a folder with three of them.

    `text_file:FOLDER` reads `train.txt`, `valid.txt` and `test.txt` in the folder, the form in
    which Penn Treebank and WikiText-2 are given away. Of `text_file:FILE` the first eight tenths of
    the lines are to train on, the ninth is to validate on and the last is to test on. Each line
    ends in the word `<eos>`, also an empty one.

    The vocabulary has the words of all three parts, as in AWD-LSTM and DARTS, in the order in which
    they come first.
    """

    name = "text_file"
    argument = "PATH"

    def find(self, request: DataRequest) -> Dataset:
        """Reads the text."""
        parts = _parts(Path(request.argument).expanduser())
        vocabulary: dict[str, int] = {}
        numbers = {name: _numbered(lines, vocabulary) for name, lines in parts.items()}
        for name, words in numbers.items():
            if len(words) < 2:
                raise UserError(
                    f"dataset: expected two words or more in the part to {_PURPOSES[name]}, got "
                    f"{len(words)}: '{request.dataset}'"
                )
        train = TextSplit(numbers["train"], valid=TextSplit(numbers["valid"], stream=1))
        facts = text_facts(request.dataset, vocabulary, len(train), len(numbers["test"]))
        return Dataset(facts, train, TextSplit(numbers["test"], stream=1))


_PURPOSES: Mapping[str, str] = {
    "train": "train on",
    "valid": "validate on",
    "test": "test on",
}


def text_facts(
    name: str, vocabulary: Sequence[str] | Mapping[str, int], train_words: int, test_words: int
) -> DatasetFacts:
    """Returns the facts of a text, whose classes are its words.

    Args:
        name: The data set's name.
        vocabulary: The words.
        train_words: Number of words to train on.
        test_words: Number of words to test on.
    """
    return DatasetFacts(
        name=name,
        image_size=0,
        channels=0,
        classes=tuple(vocabulary),
        mean=(),
        deviation=(),
        pad=0,
        flip=False,
        cutout=0,
        stem="cifar",
        policy="",
        crop="pad",
        train_images=train_words,
        test_images=test_words,
        kind="text",
    )


def _parts(path: Path) -> dict[str, list[str]]:
    """Returns the lines of each part of a text."""
    if path.is_dir():
        return {name: _lines(path / f"{name}.txt") for name in _PARTS}
    lines = _lines(path)
    first, second = (len(lines) * tenths // 10 for tenths in _TENTHS)
    return {"train": lines[:first], "valid": lines[first:second], "test": lines[second:]}


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        raise UserError(
            f"dataset: expected a text, or a folder with {', '.join(_PARTS)}.txt, got no file "
            f"'{path}'"
        ) from None
    except UnicodeDecodeError as error:
        raise UserError(f"dataset: expected a text in UTF-8, got {error}: '{path}'") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"dataset: expected a text, got {reason}: '{path}'") from error


def _numbered(lines: Sequence[str], vocabulary: dict[str, int]) -> np.ndarray:
    """Returns the numbers of the words of lines; new words get the next numbers.

    A file ends in a line break, which begins no line.
    """
    if lines and not lines[-1].strip():
        lines = lines[:-1]
    numbers = [
        vocabulary.setdefault(word, len(vocabulary))
        for line in lines
        for word in (*line.split(), END)
    ]
    return np.array(numbers, np.int32)
