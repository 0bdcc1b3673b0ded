"""The mixed operation: the weighted sum of the candidates of an edge (DARTS, equation 2)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tests.oracles import tape
from tests.oracles.operations import OPERATIONS, Params
from tests.oracles.tape import Var


def mixed_operation(
    x: Var,
    weights: Var,
    params: Mapping[str, Params],
    stride: int,
    chosen: int | None = None,
    kept: np.ndarray | None = None,
) -> Var:
    """The weighted sum of the candidate operations.

    Args:
        x: The image.
        weights: One weight per candidate, in the order of `params`.
        params: The parameters of each candidate by name; an empty mapping if it has none.
        stride: 1 or 2.
        chosen: The number of the only candidate that counts (GDAS).
        kept: What an identity skip is multiplied by, of the image's shape (P-DARTS).
    """
    if weights.shape != (len(params),):
        raise ValueError(f"{len(params)} candidates, weights of shape {weights.shape}")
    terms = []
    for number, (name, own) in enumerate(params.items()):
        if chosen in (None, number):
            result = OPERATIONS[name](x, own, stride)
            if kept is not None and name == "skip_connect" and stride == 1:
                result = tape.times(result, kept)
            terms.append(tape.scale(result, tape.pick(weights, number)))
    total = terms[0]
    for term in terms[1:]:
        total = tape.add(total, term)
    return total
