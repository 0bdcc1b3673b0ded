"""Random parameters as arrays: kernels with PyTorch's default initialization, scales, offsets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.oracles.cells import EDGES, wiring
from tests.oracles.operations import CANDIDATES


def random_cell(
    rng: np.random.Generator,
    inputs: tuple[int, int],
    channels: int,
    reduction: bool,
    previous_reduction: bool,
    candidates: Sequence[Sequence[str]] = (tuple(CANDIDATES),) * len(EDGES),
    partial: int = 1,
) -> dict[str, Any]:
    """Random parameters of a search cell.

    Args:
        rng: Random number generator.
        inputs: Channels of the two inputs.
        channels: Channels of a node.
        reduction: Whether the cell halves the image.
        previous_reduction: Whether the previous cell does.
        candidates: Names of the candidates of each edge; fewer edges make fewer nodes.
        partial: Edges compute one of so many parts of the channels.
    """
    computed = channels // partial
    if previous_reduction:
        first = random_halves(rng, inputs[0], channels)
    else:
        first = {"kernel": random_kernel(rng, 1, 1, inputs[0], channels)}
    return {
        "preprocess_0": first,
        "preprocess_1": {"kernel": random_kernel(rng, 1, 1, inputs[1], channels)},
        "edges": [
            {
                name: random_operation(rng, name, computed, 2 if reduction and source < 2 else 1)
                for name in names
            }
            for (source, _), names in zip(wiring(len(candidates)), candidates, strict=True)
        ],
    }


def random_operation(
    rng: np.random.Generator, name: str, channels: int, stride: int, affine: bool = False
) -> dict[str, np.ndarray]:
    """Parameters of one operation; `affine` adds those of the evaluation network."""
    if name == "max_pool_3x3_norm":
        return random_affine(rng, channels) if affine else {}
    if name == "wire":
        return {"weight": rng.normal(size=(1, 1))}
    if name.startswith("mbconv"):
        return random_bottleneck(rng, int(name[7]), int(name[-1]), channels, channels)
    params = _kernels(rng, name, channels, stride)
    if name.startswith("nor_conv") and not affine:
        params["bias"] = rng.uniform(-0.5, 0.5, channels)
    if affine and params:
        twice = name.startswith("sep_conv") or name == "conv_1x3_3x1"
        for suffix in ("_1", "_2") if twice else ("",):
            params |= random_affine(rng, channels, suffix)
    return params


def _kernels(
    rng: np.random.Generator, name: str, channels: int, stride: int
) -> dict[str, np.ndarray]:
    if name == "skip_connect":
        return random_halves(rng, channels, channels) if stride == 2 else {}
    if name == "conv_7x1_1x7":
        return {
            "conv_1": random_kernel(rng, 1, 7, channels, channels),
            "conv_2": random_kernel(rng, 7, 1, channels, channels),
        }
    if name == "conv_1x3_3x1":
        return {
            "conv_1": random_kernel(rng, 1, 3, channels // 8, channels),
            "conv_2": random_kernel(rng, 3, 1, channels // 8, channels),
            "pointwise": random_kernel(rng, 1, 1, channels, channels),
        }
    if "conv" not in name:
        return {}
    size = int(name[-1])
    if name.startswith(("nor_conv", "atrous_conv")):
        return {"kernel": random_kernel(rng, size, size, channels, channels)}
    kernels = {}
    for suffix in ("_1", "_2") if name.startswith("sep_conv") else ("",):
        kernels["depthwise" + suffix] = random_kernel(rng, size, size, channels, 1, size**2)
        kernels["pointwise" + suffix] = random_kernel(rng, 1, 1, channels, channels)
    return kernels


def random_bottleneck(
    rng: np.random.Generator, size: int, expansion: int, inputs: int, outputs: int
) -> dict[str, np.ndarray]:
    """Parameters of an inverted bottleneck."""
    inner = expansion * inputs
    params = {}
    if expansion > 1:
        params["expand"] = random_kernel(rng, 1, 1, inputs, inner)
        params |= random_affine(rng, inner, "_expand")
    params["depthwise"] = random_kernel(rng, size, size, inner, 1, size**2)
    params |= random_affine(rng, inner, "_depthwise")
    params["project"] = random_kernel(rng, 1, 1, inner, outputs)
    return params | random_affine(rng, outputs, "_project")


def random_halves(rng: np.random.Generator, inputs: int, channels: int) -> dict[str, np.ndarray]:
    """Parameters of a factorized reduce."""
    half = channels // 2
    return {
        "conv_1": random_kernel(rng, 1, 1, inputs, half),
        "conv_2": random_kernel(rng, 1, 1, inputs, channels - half),
    }


def random_affine(
    rng: np.random.Generator, channels: int, suffix: str = ""
) -> dict[str, np.ndarray]:
    """Scale and offset of batch normalization; some scales are negative."""
    return {
        "gamma" + suffix: rng.normal(0.5, 1.0, channels),
        "beta" + suffix: rng.uniform(-0.5, 0.5, channels),
    }


def random_kernel(
    rng: np.random.Generator,
    rows: int,
    columns: int,
    inputs: int,
    outputs: int,
    fan_in: int | None = None,
) -> np.ndarray:
    """A kernel, uniform within 1 / sqrt(fan_in); the default fan_in is that of a convolution."""
    limit = (fan_in or rows * columns * inputs) ** -0.5
    return rng.uniform(-limit, limit, (rows, columns, inputs, outputs))
