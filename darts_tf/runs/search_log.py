"""The text logs of searches by DARTS and programs made from it, read as histories.

Such a log has lines of these forms, after a date perhaps, among others that are passed over:

    07/22 02:22:53 PM epoch 0 lr 2.500000e-02
    07/22 02:22:53 PM genotype = Genotype(normal=[('sep_conv_3x3', 1), ...], ...)
    07/22 02:44:50 PM train_acc 42.944000
    07/22 02:49:50 PM valid_acc 50.924000

DARTS's and PC-DARTS's `train_search.py` log a genotype when an epoch begins, before it changes
anything; others, such as RobustDARTS's, when it ends. The place decides: a genotype before an
epoch's accuracies is that of the epoch before, one after them its own. So the first genotype of
DARTS's logs, that of the initial alphas, belongs to no epoch, and the last epoch has none, unless a
line after it gives one. Epochs without a genotype are left out.

There are no alphas in a log, and so no rankings, nor is it known when the alphas had moved beyond
their initial noise. Nothing in a log is ever executed.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from darts_tf.errors import UserError, reason, short
from darts_tf.runs.history import EpochRecord
from darts_tf.spaces.genotype import Genotype, read_genotype

# A date and a time, in the forms of Python's logging, and a level.
_DAY = r"\s*+(?:[\[\]\d/:.,\-+ ]|(?<=\d)[TZ](?=[\d ]))*+(?:[AP]M)?+"
_DATE = rf"{_DAY}[\] |:\-]*+(?:INFO|DEBUG)?+[\] |:\-]*+"
_LINE = re.compile(
    rf"{_DATE}(?:[Ee]poch:?\s+(?P<epoch>\d{{1,9}})\b"
    r"|(?P<part>[Tt]rain|[Vv]alid)_acc:?\s+(?P<accuracy>\S+)"
    r"|[Gg]enotype\s*=\s*(?P<genotype>.*\S))"
)
_LONGEST = 100_000  # characters of a line that is read


@dataclass
class _Epochs:
    """What the lines so far have told, by epoch.

    Attributes:
        now: The epoch under way, None before the first.
        accuracies: By epoch, `train` and `valid`.
        genotypes: By epoch.
    """

    now: int | None = None
    accuracies: dict[int, dict[str, float]] = field(default_factory=dict)
    genotypes: dict[int, Genotype] = field(default_factory=dict)

    def begin(self, epoch: int) -> None:
        """Takes a line that begins an epoch; a search that was resumed may go back."""
        if epoch == self.now:
            return
        if self.now is not None and epoch > self.now + 1:
            raise UserError(f"expected epoch {self.now + 1} after epoch {self.now}, got {epoch}")
        for known in (self.accuracies, self.genotypes):
            for later in [number for number in known if number >= epoch]:
                del known[later]
        self.now = epoch
        self.accuracies[epoch] = {}

    def measure(self, part: str, text: str) -> None:
        """Takes a line with an accuracy."""
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if not 0.0 <= value <= 100.0:
            raise UserError(f"expected {part}_acc from 0 to 100, got {short(text)}")
        if self.now is not None:
            self.accuracies[self.now][part] = value

    def derive(self, genotype: Genotype) -> None:
        """Takes a line with a genotype; what was known of an epoch stays."""
        if self.now is None:
            return
        ended = bool(self.accuracies[self.now])
        self.genotypes.setdefault(self.now if ended else self.now - 1, genotype)


def read_search_log(path: str | os.PathLike[str]) -> tuple[EpochRecord, ...]:
    """Reads the log of a search by DARTS or a program made from it.

    Accuracies are in percent, or shares where none is above 1.

    Example:
        >>> import tempfile
        >>> import darts_tf
        >>> with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        ...     print("05/01 10:00:00 AM epoch 0 lr 2.5e-02", file=file)
        ...     print("05/01 10:20:00 AM valid_acc 59.065222", file=file)
        ...     print("05/01 10:20:00 AM genotype =", darts_tf.zoo.get("DARTS_V2"), file=file)
        ...     file.flush()
        ...     [record] = read_search_log(file.name)
        >>> record.epoch, record.valid_accuracy, record.skip_connects
        (0, 0.59065222, {'normal': 2, 'reduce': 3})

    Args:
        path: The file.

    Returns:
        One record for each epoch with a genotype, without alphas and rankings.

    Raises:
        UserError: If the file cannot be read, a line is not what it should be, or no epoch has a
            genotype. A last line that was cut off is left out.
    """
    epochs = _Epochs()
    for number, line, whole in _lines(Path(path)):
        try:
            _take(line, epochs)
        except UserError as error:
            if whole:
                raise UserError(f"{path}, line {number}: {error}") from error
    numbers = [number for number in epochs.accuracies if number in epochs.genotypes]
    if not numbers:
        what = "genotypes of its epochs" if epochs.accuracies else "lines such as 'epoch 0'"
        raise UserError(f"{path}: expected the log of a search, with {what}, got none")
    values = [value for parts in epochs.accuracies.values() for value in parts.values()]
    unit = 1.0 if max(values, default=0.0) <= 1.0 else 100.0
    return tuple(
        _record(number, epochs.genotypes[number], epochs.accuracies[number], unit)
        for number in numbers
    )


def _lines(path: Path) -> Iterator[tuple[int, str, bool]]:
    """Yields the number of each line, its beginning, and whether the line is whole."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file, start=1):
                yield number, line[:_LONGEST], line.endswith("\n")
    except OSError as error:
        raise UserError(f"{path}: {reason(error, 'expected a log that can be read')}") from error


def _take(line: str, epochs: _Epochs) -> None:
    found = _LINE.match(line)
    if found is None:
        return
    if found["epoch"] is not None:
        epochs.begin(int(found["epoch"]))
    elif found["part"] is not None:
        epochs.measure(found["part"].lower(), found["accuracy"])
    else:
        epochs.derive(read_genotype(found["genotype"]))


def _record(
    number: int, genotype: Genotype, accuracies: dict[str, float], unit: float
) -> EpochRecord:
    shares = {part: value / unit for part, value in accuracies.items()}
    return EpochRecord(
        epoch=number,
        alphas={},
        skip_connects=genotype.skip_connects(),
        stable_epochs={},
        genotype=genotype,
        train_accuracy=shares.get("train"),
        valid_accuracy=shares.get("valid"),
    )
