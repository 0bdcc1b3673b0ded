"""The log's line of an epoch, of at most 100 columns."""

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

from darts_tf.runs.history import EpochRecord

WIDTH = 100  # columns
RECENT = 5  # epochs


def first_line(device: str, counts: Mapping[str, int], first: int, last: int) -> str:
    """Returns the line before the first step of a run, which takes longest.

    Example:
        >>> first_line("CPU (x86_64)", {"images": 1437, "classes": 10, "weights": 39210}, 0, 99)
        'CPU (x86_64), 1,437 images, 10 classes, 39,210 weights, epochs 0 to 99; building the graph'

    Args:
        device: The name of the device.
        counts: Numbers by name, such as images; a number of 0 is left out.
        first: The first epoch that is left, counted from 0.
        last: The last epoch that there can be.
    """
    numbers = ", ".join(f"{number:,} {name}" for name, number in counts.items() if number)
    return f"{device}, {numbers}, epochs {first} to {last}; building the graph"


def search_line(record: EpochRecord, state: str, left: float = 0.0) -> str:
    """Returns the line of an epoch of a search.

    Example:
        >>> scores = {"train_loss": 0.523, "train_accuracy": 0.821}
        >>> record = EpochRecord(12, {}, {}, {}, **scores, valid_loss=0.601, valid_accuracy=0.79)
        >>> search_line(record, "1 of 2 skip-connects", left=7920)
        'epoch 12: train 0.523 82.1%, valid 0.601 79.0%, 1 of 2 skip-connects, up to 2.2 h left'

    Args:
        record: The epoch's record.
        state: The state of the criterion, in words; "" for none.
        left: The most seconds that the search may still take, 0 when it is over.

    Returns:
        The line. Where it would be longer than 100 columns it has fewer digits, or fewer parts.
    """

    def parts(exact: bool) -> list[str]:
        train = _scores("train", record.train_loss, record.train_accuracy, exact, record.measures)
        valid = _scores("valid", record.valid_loss, record.valid_accuracy, exact, record.measures)
        return [f"epoch {record.epoch}: {train}", valid, state]

    return _fit(parts, [f"up to {duration(left)} left"] if left > 0 else [])


def training_line(line: Mapping[str, Any], left: float = 0.0) -> str:
    """Returns the line of an epoch of a training run.

    Example:
        >>> timing = {"images_per_second": 1234.0, "waiting": 0.02}
        >>> line = {"epoch": 7, "train_loss": 1.204, "train_accuracy": 0.613, "timing": timing}
        >>> training_line(line, left=2520)
        'epoch 7: train 1.204 61.3%, 1234 images/s, 2% waiting, about 42 min left'

    Args:
        line: The epoch's line of the history.
        left: Seconds that the training run will still take, 0 when it is over.
    """
    timing = line["timing"]

    def parts(exact: bool) -> list[str]:
        train = _scores("train", line["train_loss"], line["train_accuracy"], exact, line)
        valid, examples = "", "images"
        if "valid_perplexity" in line:  # a text
            valid = _scores("valid", line["valid_loss"], None, exact, line)
            examples = "windows"
        elif "valid_loss" in line:
            valid = _scores("valid", line["valid_loss"], line["valid_accuracy"], exact, line)
        return [
            f"epoch {line['epoch']}: {train}",
            valid,
            f"{_number(timing['images_per_second'], 0)} {examples}/s",
            f"{_number(100 * timing['waiting'], 0)}% waiting",
        ]

    return _fit(parts, [f"about {duration(left)} left"] if left > 0 else [])


def seconds_left(seconds: Sequence[float], epochs: int) -> float:
    """Estimates the seconds that the remaining epochs take, from the median of the last five.

    Example:
        >>> seconds_left([90.0, 10.0, 12.0, 11.0], epochs=6)
        23.0

    Args:
        seconds: The seconds of each epoch so far.
        epochs: The number of all epochs.
    """
    return median(seconds[-RECENT:]) * (epochs - len(seconds)) if seconds else 0.0


def duration(seconds: float) -> str:
    """Returns a time with its unit: seconds, minutes, hours or days.

    Example:
        >>> duration(90), duration(600), duration(86400)
        ('90 s', '10 min', '24.0 h')
    """
    if seconds < 180:
        return f"{seconds:.0f} s"
    if seconds < 100 * 60:
        return f"{seconds / 60:.0f} min"
    if seconds < 2 * 86400:
        return f"{seconds / 3600:.1f} h"
    return f"{_number(seconds / 86400, 1)} d"


def _scores(
    name: str,
    loss: float | None,
    accuracy: float | None,
    exact: bool,
    measures: Mapping[str, Any],
) -> str:
    """Returns loss and accuracy; in place of the accuracy the perplexity where there is one."""
    if f"{name}_perplexity" in measures:
        perplexity = _number(measures[f"{name}_perplexity"], 2 if exact else 0)
        return f"{name} {_number(loss, 3 if exact else 2)} ppl {perplexity}"
    share = None if accuracy is None else 100 * accuracy
    return f"{name} {_number(loss, 3 if exact else 2)} {_number(share, 1 if exact else 0)}%"


def _number(value: float | None, digits: int) -> str:
    if value is None:
        return "-"
    return f"{value:.{digits}f}" if abs(value) < 1e5 else f"{value:.1e}"


def _fit(parts: Callable[[bool], list[str]], last: list[str]) -> str:
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
