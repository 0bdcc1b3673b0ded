"""Copies the weights of our models to those in PyTorch, so that both compute the same."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np
import torch
from torch import nn

from darts_tf.layers.drop_path import DropPath
from darts_tf.spaces import operations
from darts_tf.spaces.darts import DARTS
from darts_tf.supernet.model import Supernet

_PARTS = tuple(
    f"{part}{suffix}"
    for part in ("depthwise", "pointwise", "conv", "norm")
    for suffix in ("", "_1", "_2")
)
_NAMES = {
    "kernel": "weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}
_EDGE = re.compile(rf"cell_(\d+)_node_(\d+)_(\d+)_(?:{'|'.join(operations.names())})_(\w+)")
_PREPROCESS = re.compile(r"cell_(\d+)_preprocess_([01])_(\w+)")


def supernet_variables(supernet: Supernet) -> dict[str, Any]:
    """Returns the variables of a built supernet under the peer's names.

    The running averages after pooling, which our supernet has once per node, appear under every
    edge from that node.
    """
    variables = {f"alphas.{cell}": table for cell, table in supernet.relaxation.alphas.items()}
    variables |= _of_layer("stem", supernet.stem.convs[0])
    variables |= _of_layer("stem_norm", supernet.stem.norms[0])
    variables |= _of_layer("classifier", supernet.classifier)
    for i, cell in enumerate(supernet.cells):
        for name in ("preprocess_0", "preprocess_1"):
            variables |= _of_operation(f"cells.{i}.{name}", getattr(cell, name))
        for j, edge in enumerate(DARTS.edges("normal")):
            for k, name in enumerate(DARTS.candidates):
                path = f"cells.{i}.edges.{j}.candidates.{k}"
                if name in cell.sources[edge.source].norms:
                    variables |= _of_layer(f"{path}.1", cell.sources[edge.source].norms[name])
                elif name in cell.edges[j].operations:
                    variables |= _of_operation(path, cell.edges[j].operations[name])
    return variables


def network_variables(network: keras.Model) -> dict[str, Any]:
    """Returns the variables of a network, except of drop path, under the peer's names."""
    variables: dict[str, Any] = {}
    for layer in network.layers:
        if not isinstance(layer, DropPath):
            variables |= _of_layer(_peer_name(layer.name), layer)
    return variables


def copy_supernet(ours: Supernet, peer: nn.Module) -> None:
    """Copies all weights, running averages and alphas of our supernet to the peer's.

    Raises:
        ValueError: If a weight of either side is left over or has another shape.
    """
    _copy(supernet_variables(ours), ours.weights, peer)


def copy_network(ours: keras.Model, peer: nn.Module) -> None:
    """Copies all weights and running averages of our network to the peer's.

    Raises:
        ValueError: If a weight of either side is left over or has another shape.
    """
    weights = [v for layer in ours.layers if not isinstance(layer, DropPath) for v in layer.weights]
    _copy(network_variables(ours), weights, peer)


def as_peer(name: str, array: np.ndarray) -> np.ndarray:
    """Transposes an array of ours to the peer's order of axes.

    Args:
        name: The peer's name of the weight.
        array: The weight, or its gradient.
    """
    if array.ndim == 4:
        return array.transpose((2, 3, 0, 1) if "depthwise" in name else (3, 2, 0, 1))
    return array.T if array.ndim == 2 and not name.startswith("alphas.") else array


def _copy(variables: Mapping[str, Any], ours: list[Any], peer: nn.Module) -> None:
    uses = Counter(id(variable) for variable in variables.values())
    wrong = [v.path for v in ours if not uses[id(v)] or (v.trainable and uses[id(v)] > 1)]
    if wrong or len(uses) != len(ours):
        raise ValueError(f"expected every weight of ours to be copied once, got: {wrong}")
    tensors = {
        name: tensor
        for name, tensor in peer.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    if left_over := sorted(tensors.keys() ^ variables.keys()):
        raise ValueError(f"only one side has these weights: {', '.join(left_over)}")
    with torch.no_grad():
        for name, tensor in tensors.items():
            array = as_peer(name, variables[name].numpy())
            if array.shape != tuple(tensor.shape):
                raise ValueError(
                    f"{name}: ours has shape {array.shape}, the peer's {tuple(tensor.shape)}"
                )
            tensor.copy_(torch.from_numpy(np.ascontiguousarray(array)))


def _peer_name(layer: str) -> str:
    if match := _EDGE.fullmatch(layer):
        cell, node, place, part = match.groups()
        return f"cells.{cell}.operations.{int(node) - 2}.{place}.{part}"
    if match := _PREPROCESS.fullmatch(layer):
        return "cells.{}.preprocess_{}.{}".format(*match.groups())
    if layer.startswith("auxiliary_"):
        return layer.replace("_", ".", 1)
    return "classifier" if layer == "logits" else layer


def _of_operation(path: str, operation: keras.layers.Layer) -> dict[str, Any]:
    return dict(_parts(path, operation))


def _parts(path: str, operation: keras.layers.Layer) -> Iterator[tuple[str, Any]]:
    for name in _PARTS:
        part = getattr(operation, name, None)
        if isinstance(part, keras.layers.Layer):
            yield from _of_layer(f"{path}.{name}", part).items()
        elif part is not None:
            yield f"{path}.{name}.weight", part


def _of_layer(path: str, layer: keras.layers.Layer) -> dict[str, Any]:
    return {f"{path}.{_NAMES[variable.name]}": variable for variable in layer.weights}
