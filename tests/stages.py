"""Genotypes by stage for tests, composed of published ones."""

from darts_tf.spaces import zoo
from darts_tf.spaces.genotype import STAGED_CELLS, StagedGenotype


def by_stage(*names: str) -> StagedGenotype:
    """A genotype whose cells are those of published genotypes.

    Args:
        names: The published genotype of each of the five cells, or one for all.
    """
    fields = {}
    for cell, name in zip(STAGED_CELLS, names * 5 if len(names) == 1 else names, strict=True):
        kind = cell.partition("_")[0]
        for part in ("", "_concat"):
            fields[cell + part] = getattr(zoo.get(name), kind + part)
    return StagedGenotype(**fields)
