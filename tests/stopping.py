"""Histories with stops that anyone can recount: skip-connects, and the genotypes that have them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from darts_tf.runs.history import EpochRecord
from darts_tf.spaces.genotype import Genotype

SOURCES = (0, 1, 0, 1, 0, 1, 0, 1)


def cell(skips: int, pools: int = 0) -> list[tuple[str, int]]:
    """The eight edges of a cell: first skip-connects, then pools, then convolutions."""
    names = ["skip_connect"] * skips + ["max_pool_3x3"] * pools
    names += ["sep_conv_3x3"] * (8 - len(names))
    return list(zip(names, SOURCES, strict=True))


def genotype(normal: int, reduce: int = 0, pools: int = 0) -> Genotype:
    """A genotype with so many skip-connects in its cells, and so many pools in each."""
    concat = range(2, 6)
    return Genotype(
        normal=cell(normal, pools),
        normal_concat=list(concat),
        reduce=cell(reduce, pools),
        reduce_concat=list(concat),
    )


def history(
    normal: Sequence[int], reduce: Sequence[int] = (), pools: int = 0, **fields: Any
) -> list[EpochRecord]:
    """Records with these skip-connects, whose accuracy grows by a hundredth an epoch."""
    reduce = reduce or [0] * len(normal)
    return [
        EpochRecord(
            epoch=epoch,
            alphas={},
            skip_connects={"normal": ours, "reduce": others},
            stable_epochs={},
            genotype=genotype(ours, others, pools),
            valid_accuracy=epoch / 100,
            **{name: values[epoch] for name, values in fields.items()},
        )
        for epoch, (ours, others) in enumerate(zip(normal, reduce, strict=True))
    ]
