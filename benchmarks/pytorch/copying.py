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
from darts_tf.supernet.cells import SearchCell
from darts_tf.supernet.model import Supernet

_PARTS = tuple(
    f"{part}{suffix}"
    for part in ("depthwise", "pointwise", "conv", "norm", "shortcut")
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
    relaxation = supernet.relaxation
    variables = {f"alphas.{cell}": table for cell, table in relaxation.alphas.items()}
    betas = getattr(relaxation, "betas", {})
    variables |= {f"betas.{cell}": row for cell, row in betas.items()}
    variables |= _of_layer("stem", supernet.stem.convs[0])
    variables |= _of_layer("stem_norm", supernet.stem.norms[0])
    for name in ("output_norm", "classifier"):
        if hasattr(supernet, name):
            variables |= _of_layer(name, getattr(supernet, name))
    for number, block in supernet.blocks.items():
        variables |= _of_operation(f"blocks.{number}", block)
    for i, cell in enumerate(supernet.cells):
        variables |= _of_cell(f"cells.{i}", cell)
    return variables


def network_variables(network: keras.Model) -> dict[str, Any]:
    """Returns the variables of a network, except of drop path, under the peer's names."""
    variables: dict[str, Any] = {}
    for layer in network.layers:
        if not isinstance(layer, DropPath):
            variables |= _of_layer(_peer_name(layer.name), layer)
    return variables


def copy_supernet(ours: Supernet, peer: nn.Module) -> None:
    """Copies all weights, running averages, alphas and betas of our supernet to the peer's.

    What else its relaxation has, such as a temperature, is left out.

    Raises:
        ValueError: If a weight of either side is left over or has another shape.
    """
    state = {id(variable) for variable in ours.relaxation.non_trainable_variables}
    weights = [variable for variable in ours.weights if id(variable) not in state]
    _copy(supernet_variables(ours), weights, peer)


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


def _of_cell(path: str, cell: SearchCell) -> dict[str, Any]:
    variables: dict[str, Any] = {}
    for name in ("preprocess_0", "preprocess_1"):
        if hasattr(cell, name):
            variables |= _of_operation(f"{path}.{name}", getattr(cell, name))
    for j, edge in enumerate(cell.edges):
        norms = cell.sources[cell.wiring[j].source].norms
        for k, name in enumerate(edge.candidates):
            candidate = f"{path}.edges.{j}.candidates.{k}"
            if name in norms:
                variables |= _of_layer(f"{candidate}.1", norms[name])
            elif name in edge.operations:
                variables |= _of_operation(candidate, edge.operations[name])
    return variables


def _of_operation(path: str, operation: keras.layers.Layer) -> dict[str, Any]:
    return dict(_parts(path, operation))


def _parts(path: str, operation: keras.layers.Layer) -> Iterator[tuple[str, Any]]:
    if getattr(operation, "bias", None) is not None:  # of a convolution that is a variable
        yield f"{path}.conv.bias", operation.bias
    for name in _PARTS:
        part = getattr(operation, name, None)
        if isinstance(part, keras.layers.Layer):
            yield from _of_layer(f"{path}.{name}", part).items()
        elif part is not None:
            yield f"{path}.{name}.weight", part


def _of_layer(path: str, layer: keras.layers.Layer) -> dict[str, Any]:
    return {f"{path}.{_NAMES[variable.name]}": variable for variable in layer.weights}
