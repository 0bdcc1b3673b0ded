"""Which network a genotype becomes."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from darts_tf.networks.blocks import Blocks, Tensor
from darts_tf.networks.spec import NetworkSpec
from darts_tf.registry import resolve
from darts_tf.spaces import space_of

# From the maker of layers, normalized images and a specification to the features that are
# classified, and those that an auxiliary head reads.
Backbone = Callable[[Blocks, Tensor, NetworkSpec], tuple[Tensor, Tensor]]

# What the names of the layers with weights begin with that a backbone adds.
PARTS = ("stem_", "cell_", "head_", "output_")

_BACKBONES: Mapping[str, str] = MappingProxyType(
    {
        "cells": "darts_tf.networks.backbone:backbone",
        "rand_wire": "darts_tf.networks.rand_wire:backbone",
        "trellis": "darts_tf.networks.trellis:backbone",
        "mobile": "darts_tf.networks.mobile:backbone",
    }
)


def backbone_of(spec: NetworkSpec) -> Backbone:
    """Returns the function that adds a network's layers up to its last features.

    Args:
        spec: The network. The family of its genotype's space says which function it is.

    Example:

        >>> import darts_tf
        >>> backbone_of(darts_tf.NetworkSpec(darts_tf.zoo.get("DARTS_V2"))).__name__
        'backbone'
    """
    backbone: Backbone = resolve(_BACKBONES[space_of(spec.genotype).family])
    return backbone
