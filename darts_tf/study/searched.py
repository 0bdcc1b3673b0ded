"""The methods of a study."""

from typing import NamedTuple

from darts_tf.errors import UserError, nearest
from darts_tf.searching import methods

_ORDERS = ("first", "second", "one_level")


class Searched(NamedTuple):
    """A method that a study searches with.

    Attributes:
        method: Name of the method.
        order: Its architecture gradient, as in `SearchConfig.arch_order`.
    """

    method: str
    order: str

    @property
    def name(self) -> str:
        """The name in tables and folders: `darts`, or `darts-one_level`.

        Example:
            >>> Searched("darts", "one_level").name
            'darts-one_level'
        """
        return self.method if self.order == "first" else f"{self.method}-{self.order}"


def searched(method: str, order: str, beside: str) -> tuple[Searched, ...]:
    """Returns the methods of a study.

    Example:
        >>> [one.name for one in searched("darts", "first", "darts:one_level,gdas")]
        ['darts', 'darts-one_level', 'gdas']

    Args:
        method: The first one's name.
        order: Its architecture gradient.
        beside: The others, separated by commas: a name, or a name and a gradient, `darts:second`.

    Raises:
        UserError: If a method or a gradient is unknown, or one stands twice.
    """
    found = [Searched(method, order)]
    for word in filter(None, beside.split(",")):
        name, colon, gradient = word.partition(":")
        if name not in methods.names():
            raise UserError(
                f"beside: expected methods among {', '.join(methods.names())}, got '{word}'."
                f"{nearest(name, methods.names())}"
            )
        if colon and gradient not in _ORDERS:
            raise UserError(
                f"beside: expected a gradient of {', '.join(_ORDERS)} behind the colon, got "
                f"'{word}'"
            )
        found.append(Searched(name, gradient or "first"))
    if twice := [one.name for one in found if found.count(one) > 1]:
        raise UserError(f"beside: expected each method once, got {twice[0]} twice")
    return tuple(found)
