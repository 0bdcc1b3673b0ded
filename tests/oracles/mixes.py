"""How search methods make edge weights of their architecture parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy import integrate, special

from tests.oracles import tape
from tests.oracles.cells import wiring
from tests.oracles.supernet import reduction_cells
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
            weights[kind] = {"weights": Var(shares(tape.softmax(table).value + moves[kind]))}
        return weights

    return mix


def shares(table: np.ndarray) -> np.ndarray:
    """A table cut to [0, 1], then divided by its rows' sums.

    Where nothing of a row is left, its largest entry before the cut is 1.
    """
    cut = np.clip(table, 0, 1)
    for row, before in zip(cut, table, strict=True):
        if not row.any():
            row[before.argmax()] = 1
    return cut / cut.sum(axis=1, keepdims=True)


def as_given(tables: Mapping[str, Var]) -> dict[str, dict[str, Any]]:
    """Edge weights that are given themselves, by kind of cell."""
    return {kind: {"weights": table} for kind, table in tables.items()}


def with_dropout(
    kept: Sequence[Sequence[np.ndarray]],
) -> Callable[[Mapping[str, Var]], list[dict[str, Any]]]:
    """P-DARTS: the softmax, and what identity skips are multiplied by.

    Args:
        kept: For each cell and edge an array of the image's shape.
    """

    def mix(alphas: Mapping[str, Var]) -> list[dict[str, Any]]:
        soft = {kind: tape.softmax(table) for kind, table in alphas.items()}
        reductions = reduction_cells(len(kept))
        return [
            {"weights": soft["reduce" if number in reductions else "normal"], "kept": own}
            for number, own in enumerate(kept)
        ]

    return mix


def with_skips(beta: float) -> Callable[[Mapping[str, Var]], dict[str, dict[str, Any]]]:
    """DARTS-: the softmax, and a weight of auxiliary skip-connects."""

    def mix(alphas: Mapping[str, Var]) -> dict[str, dict[str, Any]]:
        return {
            kind: {"weights": tape.softmax(table), "auxiliary": beta}
            for kind, table in alphas.items()
        }

    return mix


def decided(
    columns: Mapping[str, Mapping[int, int]],
) -> Callable[[Mapping[str, Var]], dict[str, dict[str, Any]]]:
    """SGAS: the softmax, but for edges with one candidate, and for edges with none.

    Args:
        columns: For each kind of cell, by number of an edge, the column of its candidate, a
            negative number for none.
    """

    def mix(alphas: Mapping[str, Var]) -> dict[str, dict[str, Any]]:
        weights = {}
        for kind, table in alphas.items():
            soft = tape.softmax(table)
            undecided, fixed = np.ones_like(soft.value), np.zeros_like(soft.value)
            for edge, column in columns[kind].items():
                undecided[edge] = 0
                if column >= 0:
                    fixed[edge, column] = 1
            weights[kind] = {"weights": tape.add(tape.times(soft, undecided), Var(fixed))}
        return weights

    return mix


def dirichlet(
    draws: Mapping[str, np.ndarray],
) -> Callable[[Mapping[str, Var]], dict[str, dict[str, Any]]]:
    """DrNAS: given draws of Dirichlet distributions, with their gradients.

    Args:
        draws: For each kind of cell what was drawn, [edges, candidates].
    """

    def mix(alphas: Mapping[str, Var]) -> dict[str, dict[str, Any]]:
        return {kind: {"weights": _drawn(draws[kind], table)} for kind, table in alphas.items()}

    return mix


def _drawn(u: np.ndarray, alphas: Var) -> Var:
    table = alphas.value
    beta = np.where(table > 0, table + 1, np.exp(np.minimum(table, 0)))
    slope = np.where(table > 0, 1.0, np.exp(np.minimum(table, 0)))

    def adjoint(gradient: np.ndarray) -> tuple[np.ndarray]:
        result = np.zeros_like(u)
        for edge, column in np.ndindex(*u.shape):
            own = u[edge, column]
            speed = quantile_speed(own, beta[edge, column], beta[edge].sum() - beta[edge, column])
            # The others shrink alike.
            change = -u[edge] / (1 - own)
            change[column] = 1.0
            result[edge, column] = slope[edge, column] * speed * (gradient[edge] @ change)
        return (result,)

    return Var(u, (alphas,), adjoint)


def quantile_speed(u: float, a: float, b: float) -> float:
    """How fast a quantile of the beta distribution moves with its first parameter.

    That is minus the derivative of the distribution function, an integral, over the density.
    """
    mean = special.digamma(a) - special.digamma(a + b)  # of the logarithm
    if u <= 0.5:
        options = {"weight": "alg-loga", "wvar": (a - 1, 0.0), "epsrel": 1e-13}
        below, _ = integrate.quad(lambda t: (1 - t) ** (b - 1), 0, u, **options)
        change = below / special.beta(a, b) - mean * special.betainc(a, b, u)
    else:
        options = {"weight": "alg", "wvar": (0.0, b - 1), "epsrel": 1e-13}
        above, _ = integrate.quad(lambda t: t ** (a - 1) * np.log(t), u, 1, **options)
        change = mean * special.betainc(b, a, 1 - u) - above / special.beta(a, b)
    log_density = (a - 1) * np.log(u) + (b - 1) * np.log1p(-u) - special.betaln(a, b)
    return float(-change / np.exp(log_density))
