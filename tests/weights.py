"""The weights of the library's layers as trees, in the form of the references in tests/oracles."""

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
    auxiliary = [of_operation(edge.auxiliary) for edge in cell.edges if edge.auxiliary]
    return {
        "preprocess_0": of_operation(cell.preprocess_0),
        "preprocess_1": of_operation(cell.preprocess_1),
        "edges": [of_edge(edge) for edge in cell.edges],
        **({"auxiliary": auxiliary} if auxiliary else {}),
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
    """Assigns arrays to the variables of a tree of the same structure; returns the variables."""
    pairs = list(zip(trees.leaves(variables), trees.leaves(arrays), strict=True))
    for (path, variable), (other, array) in pairs:
        assert path == other
        variable.assign(array)
    return [variable.value for (_, variable), _ in pairs]


def flat(tree: Any) -> list[np.ndarray]:
    return [leaf for _, leaf in trees.leaves(tree)]


def relative_error(actual: Any, expected: Any) -> float:
    """The largest absolute difference relative to the largest entry, as in "equal to 1e-9"."""
    actual, expected = np.asarray(actual, np.float64), np.asarray(expected, np.float64)
    assert actual.shape == expected.shape
    return float(np.abs(actual - expected).max() / max(np.abs(expected).max(), 1e-300))


def norm_error(actual: Any, expected: Any) -> float:
    """The norm of the difference of two lists of arrays, relative to the expected norm."""
    pairs = zip(actual, expected, strict=True)
    difference = [np.asarray(array, np.float64) - reference for array, reference in pairs]
    return float(_norm(difference) / _norm(expected))


def _norm(arrays: Any) -> float:
    return float(np.sqrt(sum(np.sum(np.square(array)) for array in arrays)))
