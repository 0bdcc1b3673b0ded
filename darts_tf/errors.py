"""The one exception for users' mistakes, and the words of what users are told."""

import difflib
import errno
from collections.abc import Iterable
from typing import Any

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class UserError(ValueError):
    """A mistake that a user can mend: the message says what was expected and what was given.

    The programs print the message and end with status 2.

    Args:
        message: What went wrong. It becomes one line, whatever the user's words in it hold.
    """

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.splitlines()))


class DivergenceError(UserError):
    """A loss or a variable became infinite or NaN in training; other settings may do better."""


def nearest(name: str, names: Iterable[str]) -> str:
    """Returns a hint with the expected name that is most like a wrong one.

    Args:
        name: The name that was given.
        names: The names that were expected.

    Returns:
        `" Did you mean 'cifar10'?"`, with the leading space, or `""` when nothing is similar.
    """
    by_lower = {candidate.lower(): candidate for candidate in names}
    closest = difflib.get_close_matches(name.lower(), by_lower, n=1)
    return f" Did you mean '{by_lower[closest[0]]}'?" if closest else ""


def reason(error: OSError, expected: str) -> str:
    """Returns why a file could not be read or written, and what was expected.

    Args:
        error: The error of the operating system.
        expected: What was expected, as "expected a writable file".

    Returns:
        Both, as the end of a message; on a full disk, what to do in place of what was expected.
    """
    if error.errno in _NO_ROOM:
        expected = "make room, then run the same command again to resume"
    return f"{error.strerror or error}; {expected}"


def short(value: Any, limit: int = 60) -> str:
    """Returns a value as text for a message, cut off where it is too long.

    Args:
        value: Any value.
        limit: The most characters.
    """
    try:
        text = repr(value)
    except (RecursionError, ValueError):  # nested too deep; an integer of thousands of digits
        text = f"a {type(value).__name__} too large to show"
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


def counted(number: int | str, noun: str, plural: str = "") -> str:
    """Returns a number and a noun, in the plural unless the number is 1.

    Example:
        >>> counted(1, "epoch"), counted("?", "epoch"), counted(2, "search", "searches")
        ('1 epoch', '? epochs', '2 searches')

    Args:
        number: The number, or its text.
        noun: The noun in the singular.
        plural: The noun in the plural; the singular with an `s` when empty.
    """
    return f"{number} {noun if str(number) == '1' else plural or f'{noun}s'}"
