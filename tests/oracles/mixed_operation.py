"""The mixed operation: the weighted sum of the candidates of an edge (DARTS, equation 2)."""

from __future__ import annotations

from collections.abc import Mapping

from tests.oracles import tape
from tests.oracles.operations import OPERATIONS, Params
from tests.oracles.tape import Var


def mixed_operation(x: Var, weights: Var, params: Mapping[str, Params], stride: int) -> Var:
    """The weighted sum of the candidate operations.

    Args:
        x: The image.
        weights: One weight per candidate, in the order of `params`.
        params: The parameters of each candidate by name; an empty mapping if it has none.
        stride: 1 or 2.
    """
    if weights.shape != (len(params),):
        raise ValueError(f"{len(params)} candidates, weights of shape {weights.shape}")
    terms = [
        tape.scale(OPERATIONS[name](x, own, stride), tape.pick(weights, i))
        for i, (name, own) in enumerate(params.items())
    ]
    total = terms[0]
    for term in terms[1:]:
        total = tape.add(total, term)
    return total
