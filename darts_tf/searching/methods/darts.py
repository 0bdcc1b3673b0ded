"""DARTS, of first order, second order or on one level (Liu et al., 2019)."""

from dataclasses import dataclass
from typing import ClassVar

from darts_tf.searching.methods.method import Method


@dataclass(frozen=True, kw_only=True)
class Darts(Method):
    """The search of DARTS, as DARTS+ runs it; `arch_order` chooses its gradient.

    >>> Darts().get_config()
    {'name': 'darts'}
    """

    name: ClassVar[str] = "darts"
