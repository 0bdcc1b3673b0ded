"""The weights of our layers, as trees of the shape that the twins in tests/oracles take."""

from typing import Any

import numpy as np

from tests.oracles import trees


def of_operation(layer: Any) -> dict[str, Any]:
    return {variable.name: variable for variable in layer.trainable_variables}


def of_edge(mixed: Any) -> dict[str, dict[str, Any]]:
    return {
        name: of_operation(mixed.operations[name]) if name in mixed.operations else {}
        for name in mixed.candidates
    }


def of_cell(cell: Any) -> dict[str, Any]:
    return {
        "preprocess_0": of_operation(cell.preprocess_0),
        "preprocess_1": of_operation(cell.preprocess_1),
        "edges": [of_edge(edge) for edge in cell.edges],
    }


def of_supernet(supernet: Any) -> dict[str, Any]:
    return {
        "stem": [
            of_operation(conv) | of_operation(norm)
            for conv, norm in zip(supernet.stem.convs, supernet.stem.norms, strict=True)
        ],
        "cells": [of_cell(cell) for cell in supernet.cells],
        "classifier": of_operation(supernet.classifier),
    }


def assign(variables: Any, arrays: Any) -> list[Any]:
    """Gives each variable of a tree the array at its place, and returns them in a list."""
    pairs = list(zip(trees.leaves(variables), trees.leaves(arrays), strict=True))
    for (path, variable), (other, array) in pairs:
        assert path == other
        variable.assign(array)
    return [variable.value for (_, variable), _ in pairs]


def flat(tree: Any) -> list[np.ndarray]:
    return [leaf for _, leaf in trees.leaves(tree)]


def relative_error(found: Any, right: Any) -> float:
    """The largest difference, as a share of the largest entry (fidelity to 1e-9 means this)."""
    found, right = np.asarray(found, np.float64), np.asarray(right, np.float64)
    assert found.shape == right.shape
    return float(np.abs(found - right).max() / max(np.abs(right).max(), 1e-300))


def norm_error(found: Any, right: Any) -> float:
    """The norm of the difference of lists of arrays, as a share of the norm."""
    difference = [np.asarray(f, np.float64) - r for f, r in zip(found, right, strict=True)]
    return float(_norm(difference) / _norm(right))


def _norm(arrays: Any) -> float:
    return float(np.sqrt(sum(np.sum(np.square(array)) for array in arrays)))
