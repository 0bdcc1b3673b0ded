"""Genotypes by stage for tests, composed of published ones or of single operations."""

from darts_tf.spaces import zoo
from darts_tf.spaces.genotype import STAGED_CELLS, Genotype, StagedGenotype


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


def of_operations(*names: str) -> StagedGenotype:
    """A genotype with one operation beside an identity in each of the five cells."""
    fields = {}
    for cell, name in zip(STAGED_CELLS, names, strict=True):
        fields |= {cell: _edges(name), f"{cell}_concat": [2]}
    return StagedGenotype(**fields)


def of_operation(name: str) -> Genotype:
    """The genotype whose both cells are such a cell."""
    return Genotype(normal=_edges(name), normal_concat=[2], reduce=_edges(name), reduce_concat=[2])


def _edges(name: str) -> list[tuple[str, int]]:
    return [(name, 0), ("skip_connect", 1)]
