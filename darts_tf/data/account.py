"""The account of a folder of images: told in lines, and written down with a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_MOST_NAMES = 5


@dataclass(frozen=True)
class Account:
    """An account of the images of a data set.

    Args:
        classes: Numbers of training images and of test images, by class.
        kinds: Numbers of images by kind; each image is of one.
        remarks: Numbers of images of which something else is to be said, by what it is.
        passed_over: Numbers of files that were not taken, by why.
        damaged: Files that cannot be read and were left out.
    """

    classes: Mapping[str, tuple[int, int]]
    kinds: Mapping[str, int] = field(default_factory=dict)
    remarks: Mapping[str, int] = field(default_factory=dict)
    passed_over: Mapping[str, int] = field(default_factory=dict)
    damaged: Sequence[str] = ()

    def line(self) -> str:
        """Returns how many images of how many classes there are, and what was passed over.

        Example:
            >>> Account({"cat": (4, 1), "dog": (8, 2)}, passed_over={"that end in .tif": 3}).line()
            '15 images of 2 classes, 12 to train and 3 to test with (cat 5, dog 10); passed over: 3 that end in .tif'
        """  # noqa: E501
        train, test = (sum(counts[part] for counts in self.classes.values()) for part in (0, 1))
        text = f"{train + test:,} images of {len(self.classes):,} classes, {train:,} to train and "
        text += f"{test:,} to test with ({self._by_class()})"
        left_out = dict(self.passed_over)
        if self.damaged:
            left_out["damaged"] = len(self.damaged)
        return f"{text}; passed over: {_counts(left_out)}" if left_out else text

    def kinds_line(self) -> str:
        """Returns how many images of each kind there are.

        Example:
            >>> Account({}, {"in color": 4, "grey": 1}, {"turned upright": 2}).kinds_line()
            '4 in color, 1 grey; 2 turned upright'
        """
        return "; ".join(_counts(each) for each in (self.kinds, self.remarks) if each)

    def to_dict(self) -> dict[str, Any]:
        """Returns a JSON object."""
        return {
            "found": self.line(),
            "kinds": self.kinds_line(),
            "classes": {
                name: {"train": train, "test": test} for name, (train, test) in self.classes.items()
            },
            "passed_over": dict(self.passed_over),
            "damaged": list(self.damaged),
        }

    def _by_class(self) -> str:
        sums = {name: sum(counts) for name, counts in self.classes.items()}
        if len(sums) <= 2 * _MOST_NAMES:
            return ", ".join(f"{name} {count:,}" for name, count in sums.items())
        return f"{min(sums.values()):,} to {max(sums.values()):,} a class"


def some(names: Sequence[str]) -> str:
    """Returns the first names, and how many more there are.

    Example:
        >>> some(["a", "b"]), some(list("abcdefgh"))
        ('a, b', 'a, b, c, d, e and 3 more')
    """
    text = ", ".join(names[:_MOST_NAMES])
    more = len(names) - _MOST_NAMES
    return f"{text} and {more:,} more" if more > 0 else text


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {what}" for what, count in counts.items())
