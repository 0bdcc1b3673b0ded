"""By what networks are compared: accuracy on images, perplexity on texts."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from darts_tf.runs.history import EpochRecord

_DIGITS = 6  # of an accuracy after the decimal point; of a perplexity, significant ones
# A network with a perplexity above counts as one that diverged.
_MOST_PERPLEX = 1e9


def _accuracy(error_percent: float) -> float:
    """Returns the accuracy of an error."""
    return _six_places(1 - error_percent / 100)


def _six_places(accuracy: float) -> float:
    return round(accuracy, _DIGITS)


def _perplexity(value: float) -> float:
    """Returns a perplexity as it is compared, also of a number that is none."""
    return float(f"{value:.{_DIGITS}g}") if value < _MOST_PERPLEX else _MOST_PERPLEX


@dataclass(frozen=True)
class Quality:
    """What networks for a kind of data set are compared by, and how it is written down and told.

    Attributes:
        name: Its name, `accuracy` or `perplexity`.
        names: The plural.
        supernet_name: That of a supernet on its validation data, which reads a text in rows.
        higher_is_better: Whether a network with more of it is better.
        worst: That of a network whose training diverged.
        factor: What it is multiplied by before it is told.
        unit: The unit in which it is then told, with a comma before it; "" for none.
        held_out: In the `result.json` of a training the number on held-out data that it is made of.
        score: Makes it of that number.
        rounded: Rounds it to the digits of float32, the type in which keras-tuner's processes
            exchange it.
        modeled: What of it a Gaussian process predicts.
        test: In the same file the number on test data, of which less is better.
        row: The name of that number in the files of a study.
        row_name: The same in words.
        differences: What differences of such numbers are in, in words with a space before them;
            "" for nothing to tell.
        points: The unit of such a difference, likewise.
    """

    name: str
    names: str
    supernet_name: str
    higher_is_better: bool
    worst: float
    factor: float
    unit: str
    held_out: str
    score: Callable[[float], float]
    rounded: Callable[[float], float]
    modeled: Callable[[float], float]
    test: str
    row: str
    row_name: str
    differences: str
    points: str

    @property
    def key(self) -> str:
        """Its name in files, such as `valid_accuracy`."""
        return f"valid_{self.name}"

    @property
    def of_test(self) -> str:
        """The test data's number with its unit, such as `Test error, %`."""
        return f"{self.row_name}{self.unit}"

    def rank(self, value: float) -> float:
        """Returns a number that is greater where a network is better.

        Args:
            value: A network's.
        """
        return value if self.higher_is_better else -value

    def ended(self, value: float | None) -> float | None:
        """Returns the value of a network, None for one whose training diverged.

        Args:
            value: A network's; None as long as it has none.
        """
        is_worst = value is not None and self.rank(value) <= self.rank(self.worst)
        return None if is_worst else value

    def scaled(self, value: float) -> float:
        """Returns a value in its unit, with six digits.

        Args:
            value: A network's.
        """
        return float(f"{self.factor * value:.6g}")

    def text(self, value: float, digits: int = 2) -> str:
        """Returns a value as a text.

        Example:
            >>> QUALITIES["images"].text(0.975), QUALITIES["text"].text(98.7654)
            ('97.50 %', '98.77')

        Args:
            value: A network's.
            digits: Digits after the decimal point.
        """
        return f"{self.factor * value:.{digits}f}{self.unit.replace(',', '')}"

    def told(self, value: float) -> str:
        """Returns a value as a text of one word, for a terminal.

        Example:
            >>> QUALITIES["images"].told(0.975), QUALITIES["text"].told(98.7654)
            ('97.50%', '98.77')

        Args:
            value: A network's.
        """
        return self.text(value).replace(" ", "")

    def of_supernet(self, record: EpochRecord) -> float | None:
        """Returns that of a supernet on its validation data, None where it was not recorded.

        Args:
            record: Of an epoch of a search.
        """
        value: float | None = record.measures.get(self.key, getattr(record, self.key, None))
        return value


ACCURACY = Quality(
    name="accuracy",
    names="accuracies",
    supernet_name="Validation accuracy",
    higher_is_better=True,
    worst=0.0,
    factor=100,
    unit=", %",
    held_out="valid_top1_error_percent",
    score=_accuracy,
    rounded=_six_places,
    modeled=float,
    test="top1_error_percent",
    row="error_percent",
    row_name="Test error",
    differences=" in percentage points",
    points=" points",
)
PERPLEXITY = Quality(
    name="perplexity",
    names="perplexities",
    supernet_name="Validation perplexity in rows",
    higher_is_better=False,
    worst=_MOST_PERPLEX,
    factor=1,
    unit="",
    held_out="valid_perplexity",
    score=_perplexity,
    rounded=_perplexity,
    modeled=math.log,
    test="test_perplexity",
    row="perplexity",
    row_name="Test perplexity",
    differences="",
    points="",
)

# By `DatasetFacts.kind`.
QUALITIES: Mapping[str, Quality] = MappingProxyType({"images": ACCURACY, "text": PERPLEXITY})


def quality_of(names: Iterable[str]) -> Quality:
    """Returns what networks were compared by, as the names in a file tell.

    Example:
        >>> quality_of(["test_perplexity", "parameters"]).name, quality_of([]).name
        ('perplexity', 'accuracy')

    Args:
        names: Of a result, of a trial's metrics, of a row of a study, or of measures of an epoch.

    Returns:
        `ACCURACY`, where none of the names belongs to another one.
    """
    found = set(names)
    own = PERPLEXITY.key, PERPLEXITY.held_out, PERPLEXITY.test, PERPLEXITY.row
    return PERPLEXITY if found.intersection(own) else ACCURACY
