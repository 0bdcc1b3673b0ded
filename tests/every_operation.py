"""Networks for tests that together cover every operation and stem, odd sizes, and no edges."""

from __future__ import annotations

import keras
import numpy as np

from darts_tf.layers.normalization import BatchNormalization
from darts_tf.networks.network import build_network, inference_network
from darts_tf.networks.spec import NetworkSpec
from darts_tf.spaces import zoo
from darts_tf.spaces.genotype import Genotype

MEAN, DEVIATION = (0.5, 0.4, 0.3), (0.2, 0.25, 0.3)
# Each operation of a genotype, in a normal cell and, at stride 2, in a reduction cell.
_EDGES = (
    ("sep_conv_3x3", 0),
    ("sep_conv_5x5", 1),
    ("sep_conv_7x7", 0),
    ("conv_7x1_1x7", 1),
    ("dil_conv_3x3", 0),
    ("dil_conv_5x5", 1),
    ("max_pool_3x3", 0),
    ("avg_pool_3x3", 1),
    ("skip_connect", 0),
    ("skip_connect", 1),
    ("noise", 0),
    ("noise", 1),
    ("nor_conv_1x1", 0),
    ("nor_conv_3x3", 1),
    ("atrous_conv_3x3", 0),
    ("atrous_conv_5x5", 1),
    ("none", 0),
    ("max_pool_3x3_norm", 1),
)
_CONCAT = (2, 3, 4, 5, 6, 7, 8, 9, 10)
# The first cell of these networks has too few channels for an operation in eight groups.
_GROUPED = (*_EDGES[:-2], ("conv_1x3_3x1", 0), ("max_pool_3x3_norm", 1))
# Two edges a cell, for what is around the cells.
FEW = Genotype(
    normal=[("sep_conv_3x3", 0), ("skip_connect", 1)],
    normal_concat=[2],
    reduce=[("max_pool_3x3", 0), ("skip_connect", 1)],
    reduce_concat=[2],
)
EVERY = Genotype(
    normal=_EDGES, normal_concat=_CONCAT, reduce=FEW.reduce, reduce_concat=FEW.reduce_concat
)
EVERY_STRIDED = Genotype(
    normal=FEW.normal, normal_concat=FEW.normal_concat, reduce=_GROUPED, reduce_concat=_CONCAT
)
# As after a derivation by a threshold: a cell without edges, and one with such a node.
SPARSE = Genotype(
    normal=[],
    normal_concat=[2, 3],
    reduce=[("sep_conv_3x3", 0, 2), ("skip_connect", 1, 2), ("max_pool_3x3", 0, 4)],
    reduce_concat=[2, 3, 4],
)
# A small graph for each stage of RandWire's network.
_GRAPH = (("wire", 0, 1), ("wire", 0, 2), ("wire", 1, 3), ("wire", 2, 3), ("wire", 2, 4))
GRAPHS = Genotype(
    space="rand_wire_small",
    inputs=1,
    **{f"stage_{number}": _GRAPH for number in range(3)},
    **{f"stage_{number}_concat": (3, 4) for number in range(3)},
)
# A path that goes down, stays and goes up.
TRELLIS = Genotype(
    space="auto_deeplab",
    cell=zoo.get("AUTO_DEEPLAB").cell,
    cell_concat=(2, 3, 4, 5, 6),
    path=[("level_1", 1, 2), ("level_1", 2, 3), ("level_0", 3, 4)],
    path_concat=(4,),
)
# What each network of the tests has that others have not.
SETTINGS = {
    "odd": {"shape": (9, 11, 3)},
    "even": {"shape": (12, 10, 3), "genotype": EVERY_STRIDED},  # 6 and 5 where halved
    "imagenet": {"shape": (67, 64, 3), "genotype": FEW, "stem": "imagenet"},
    "squeeze_excite": {
        "shape": (8, 8, 3),
        "genotype": FEW,
        "stem": "tiny_imagenet",
        "squeeze_excite": True,
    },
    "sparse": {"shape": (9, 8, 3), "genotype": SPARSE},
    "rand_wire": {"shape": (19, 16, 3), "genotype": GRAPHS},
    "trellis": {"shape": (9, 8, 3), "genotype": TRELLIS},
}


def network(name: str, seed: int) -> keras.Model:
    """An inference network with random weights and running averages of a batch.

    Args:
        name: One of `SETTINGS`.
        seed: Random seed of the weights.
    """
    settings = dict(SETTINGS[name])
    shape = settings.pop("shape")
    genotype = settings.pop("genotype", EVERY)
    spec = NetworkSpec(genotype, shape, 5, layers=3, init_channels=4, **settings)
    keras.utils.set_random_seed(seed)
    trained = build_network(spec)
    rng = np.random.default_rng(seed)
    for layer in trained.layers:
        if isinstance(layer, BatchNormalization):
            layer.momentum = 0
            layer.gamma.assign(rng.uniform(0.5, 1.5, layer.gamma.shape))
            layer.beta.assign(rng.normal(0, 0.2, layer.beta.shape))
        elif layer.name.endswith("_weight"):  # of an edge of a graph
            layer.kernel.assign(rng.normal(size=layer.kernel.shape))
    trained(rng.normal(size=(8, *shape)), training=True)
    return inference_network(trained, spec, MEAN, DEVIATION)


def images(model: keras.Model, batch: int, seed: int) -> np.ndarray:
    """Pixels from 0 to 255, float32 [batch, height, width, channels]."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (batch, *model.input_shape[1:])).astype(np.float32)
