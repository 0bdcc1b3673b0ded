"""The lines that tell a person of a run: one an epoch, of at most 100 columns."""

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

from darts_tf.runs.history import EpochRecord

WIDTH = 100
RECENT = 5


def search_line(record: EpochRecord, state: str, left: float = 0.0) -> str:
    """Tells of an epoch of a search.

    Args:
        record: What the epoch gave.
        state: How far the criterion is, in words; "" for none.
        left: Seconds that the search may still take, 0 when it is over.

    Returns:
        A line such as `epoch 12: train 0.523 82.1%, valid 0.601 79.0%, 1 of 2 skip-connects, up to
        2.2 h left`. Where it would be longer than 100 columns it has fewer digits, or less of the
        rest.
    """

    def parts(exact: bool) -> list[str]:
        train = _learnt("train", record.train_loss, record.train_accuracy, exact)
        valid = _learnt("valid", record.valid_loss, record.valid_accuracy, exact)
        return [f"epoch {record.epoch}: {train}", valid, state]

    return _fitting(parts, [f"up to {duration(left)} left"] if left > 0 else [])


def training_line(line: Mapping[str, Any], left: float = 0.0) -> str:
    """Tells of an epoch of a training.

    Args:
        line: The epoch's line of the history.
        left: Seconds that the training will still take, 0 when it is over.

    Returns:
        A line such as `epoch 7: train 1.204 61.3%, 1234 images/s, 2% waiting, about 42 min left`.
    """
    timing = line["timing"]

    def parts(exact: bool) -> list[str]:
        train = _learnt("train", line["train_loss"], line["train_accuracy"], exact)
        return [
            f"epoch {line['epoch']}: {train}",
            f"{_number(timing['images_per_second'], 0)} images/s",
            f"{_number(100 * timing['waiting'], 0)}% waiting",
        ]

    return _fitting(parts, [f"about {duration(left)} left"] if left > 0 else [])


def seconds_left(seconds: Sequence[float], epochs: int) -> float:
    """Returns how long the epochs to come take, if they are like the last few.

    Args:
        seconds: What each epoch so far has taken.
        epochs: The number of epochs that there are at most.
    """
    return median(seconds[-RECENT:]) * (epochs - len(seconds)) if seconds else 0.0


def duration(seconds: float) -> str:
    """Returns a span of time with its unit: seconds, minutes, hours or days."""
    if seconds < 180:
        return f"{seconds:.0f} s"
    if seconds < 100 * 60:
        return f"{seconds / 60:.0f} min"
    if seconds < 2 * 86400:
        return f"{seconds / 3600:.1f} h"
    return f"{_number(seconds / 86400, 1)} d"


def _learnt(name: str, loss: float | None, accuracy: float | None, exact: bool) -> str:
    share = None if accuracy is None else 100 * accuracy
    return f"{name} {_number(loss, 3 if exact else 2)} {_number(share, 1 if exact else 0)}%"


def _number(value: float | None, digits: int) -> str:
    if value is None:
        return "-"
    return f"{value:.{digits}f}" if abs(value) < 1e5 else f"{value:.1e}"


def _fitting(parts: Callable[[bool], list[str]], last: list[str]) -> str:
    """Returns the parts as one line that fits; the last part goes before the line is cut off."""
    lines = (
        ", ".join(part for part in (*parts(exact), *rest) if part)
        for exact, rest in ((True, last), (False, last), (False, []))
    )
    line = ""
    for line in lines:
        if len(line) <= WIDTH:
            return line
    return f"{line[: WIDTH - 3]}..."
