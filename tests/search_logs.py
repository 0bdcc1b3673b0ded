"""Text logs of searches by other programs, in the forms in which they write them."""

from __future__ import annotations

from collections.abc import Sequence

from tests.stopping import genotype

MORE = """\
07/22 02:22:00 PM gpu device = 0
07/22 02:22:00 PM args = Namespace(epochs=50, train_portion=0.5, genotype='none')
07/22 02:22:01 PM param size = 1.930842MB
"""


def call(normal: int, reduce: int = 0) -> str:
    """A genotype with so many skip-connects in its cells, as DARTS prints it."""
    found = genotype(normal, reduce)
    return (
        f"Genotype(normal={list(found.normal)}, normal_concat=range(2, 6), "
        f"reduce={list(found.reduce)}, reduce_concat=range(2, 6))"
    )


def darts_log(skips: Sequence[int]) -> str:
    """The log of DARTS's train_search.py: the genotype comes when an epoch begins."""
    lines = []
    for epoch, count in enumerate(skips):
        lines += [
            f"epoch {epoch} lr 2.500000e-02",
            f"genotype = {call(count)}",
            "train 000 2.313442e+00 9.375000 50.000000",
            f"train_acc {10 + epoch:.6f}",
            "valid 000 1.438584e+00 62.500000 82.812500",
            f"valid_acc {20 + epoch:.6f}",
        ]
    return MORE + "".join(f"07/22 02:22:53 PM {line}\n" for line in lines)


def later_log(skips: Sequence[int]) -> str:
    """The log of a program that logs the genotype after the validation, as RobustDARTS's does."""
    lines = []
    for epoch, count in enumerate(skips):
        lines += [
            f"epoch {epoch} lr 2.500000e-02 drop_prob 0.000000e+00",
            f"train_acc {10 + epoch:.6f}",
            f"valid_acc {20 + epoch:.6f}",
            f"genotype = {call(count)}",
        ]
    return "".join(f"2019-07-22 14:22:53,408 {line}\n" for line in lines)
