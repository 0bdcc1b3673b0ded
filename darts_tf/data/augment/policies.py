"""The policies of AutoAugment (Cubuk et al. 2019, appendix): tables 7 and 9, row by row."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Step(NamedTuple):
    """A half of a sub-policy.

    Attributes:
        operation: Name of a function in `image_ops`.
        probability: How often it is applied.
        level: How strongly, 0 to 9; means nothing to auto_contrast, equalize and invert.
    """

    operation: str
    probability: float
    level: int


_CIFAR = """
invert 0.1 7, contrast 0.2 6
rotate 0.7 2, translate_x 0.3 9
sharpness 0.8 1, sharpness 0.9 3
shear_y 0.5 8, translate_y 0.7 9
auto_contrast 0.5 8, equalize 0.9 2
shear_y 0.2 7, posterize 0.3 7
color 0.4 3, brightness 0.6 7
sharpness 0.3 9, brightness 0.7 9
equalize 0.6 5, equalize 0.5 1
contrast 0.6 7, sharpness 0.6 5
color 0.7 7, translate_x 0.5 8
equalize 0.3 7, auto_contrast 0.4 8
translate_y 0.4 3, sharpness 0.2 6
brightness 0.9 6, color 0.2 8
solarize 0.5 2, invert 0.0 3
equalize 0.2 0, auto_contrast 0.6 0
equalize 0.2 8, equalize 0.6 4
color 0.9 9, equalize 0.6 6
auto_contrast 0.8 4, solarize 0.2 8
brightness 0.1 3, color 0.7 0
solarize 0.4 5, auto_contrast 0.9 3
translate_y 0.9 9, translate_y 0.7 9
auto_contrast 0.9 2, solarize 0.8 3
equalize 0.8 8, invert 0.1 3
translate_y 0.7 9, auto_contrast 0.9 1
"""

_IMAGENET = """
posterize 0.4 8, rotate 0.6 9
solarize 0.6 5, auto_contrast 0.6 5
equalize 0.8 8, equalize 0.6 3
posterize 0.6 7, posterize 0.6 6
equalize 0.4 7, solarize 0.2 4
equalize 0.4 4, rotate 0.8 8
solarize 0.6 3, equalize 0.6 7
posterize 0.8 5, equalize 1.0 2
rotate 0.2 3, solarize 0.6 8
equalize 0.6 8, posterize 0.4 6
rotate 0.8 8, color 0.4 0
rotate 0.4 9, equalize 0.6 2
equalize 0.0 7, equalize 0.8 8
invert 0.6 4, equalize 1.0 8
color 0.6 4, contrast 1.0 8
rotate 0.8 8, color 1.0 2
color 0.8 8, solarize 0.8 7
sharpness 0.4 7, invert 0.6 8
shear_x 0.6 5, equalize 1.0 9
color 0.4 0, equalize 0.6 3
equalize 0.4 7, solarize 0.2 4
solarize 0.6 5, auto_contrast 0.6 5
invert 0.6 4, equalize 1.0 8
color 0.6 4, contrast 1.0 8
equalize 0.8 8, equalize 0.6 3
"""


def _parsed(table: str) -> tuple[tuple[Step, Step], ...]:
    rows = ([step.split() for step in row.split(", ")] for row in table.strip().splitlines())
    return tuple(
        (Step(a, float(p), int(level)), Step(b, float(q), int(other)))
        for (a, p, level), (b, q, other) in rows
    )


POLICIES: Mapping[str, tuple[tuple[Step, Step], ...]] = MappingProxyType(
    {"cifar": _parsed(_CIFAR), "imagenet": _parsed(_IMAGENET)}
)
