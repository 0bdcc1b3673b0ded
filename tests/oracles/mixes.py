"""How search methods make edge weights of their architecture parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tests.oracles import tape
from tests.oracles.cells import wiring
from tests.oracles.tape import Var


def edge_normalized(parameters: Mapping[str, Var]) -> dict[str, dict[str, Any]]:
    """PC-DARTS: a softmax over candidates, and one over the edges into a node.

    Args:
        parameters: Under each kind of cell its alphas [edges, candidates], and under `betas_` with
            the kind the edges' own parameters, [edges].
    """
    weights = {}
    for kind in (name for name in parameters if f"betas_{name}" in parameters):
        betas = parameters[f"betas_{kind}"]
        parts = []
        targets = [target for _, target in wiring(len(betas.value))]
        for node in sorted(set(targets)):
            first = targets.index(node)
            parts.append(tape.softmax(tape.pick(betas, slice(first, first + targets.count(node)))))
        weights[kind] = {"weights": tape.softmax(parameters[kind]), "edges": tape.concat(parts)}
    return weights


def drawn(
    noise: Mapping[str, np.ndarray], temperature: float
) -> Callable[[Mapping[str, Var]], dict[str, dict[str, Any]]]:
    """GDAS: the candidate of the largest noisy softmax alone, with weight 1 and its gradient.

    Args:
        noise: Gumbel noise of each kind of cell, [edges, candidates].
        temperature: The temperature.
    """

    def mix(alphas: Mapping[str, Var]) -> dict[str, dict[str, Any]]:
        weights = {}
        for kind, table in alphas.items():
            noisy = tape.add(table, Var(noise[kind]))
            soft = tape.softmax(tape.scale(noisy, Var(1 / temperature)))
            hard = Var(np.ones_like(soft.value), (soft,), lambda gradient: (gradient,))
            weights[kind] = {"weights": hard, "chosen": soft.value.argmax(axis=1)}
        return weights

    return mix


def sigmoids(alphas: Mapping[str, Var]) -> dict[str, dict[str, Any]]:
    """FairDARTS: a sigmoid for each candidate."""
    weights = {}
    for kind, table in alphas.items():
        u = 1 / (1 + np.exp(-table.value))
        weights[kind] = {"weights": Var(u, (table,), lambda g, u=u: (g * u * (1 - u),))}
    return weights


def perturbed(
    moves: Mapping[str, np.ndarray],
) -> Callable[[Mapping[str, Var]], dict[str, dict[str, Any]]]:
    """SDARTS-RS: the softmax moved by given numbers, cut to [0, 1], then divided by its sums.

    Args:
        moves: For each kind of cell [edges, candidates]; so small that a row keeps something.
    """

    def mix(alphas: Mapping[str, Var]) -> dict[str, dict[str, Any]]:
        weights = {}
        for kind, table in alphas.items():
            cut = np.clip(tape.softmax(table).value + moves[kind], 0, 1)
            weights[kind] = {"weights": Var(cut / cut.sum(axis=1, keepdims=True))}
        return weights

    return mix


def with_skips(beta: float) -> Callable[[Mapping[str, Var]], dict[str, dict[str, Any]]]:
    """DARTS-: the softmax, and a weight of auxiliary skip-connects."""

    def mix(alphas: Mapping[str, Var]) -> dict[str, dict[str, Any]]:
        return {
            kind: {"weights": tape.softmax(table), "auxiliary": beta}
            for kind, table in alphas.items()
        }

    return mix
