"""Every class that Keras can load by name: config, late building, and the same numbers again."""

import keras
import numpy as np
import pytest

from darts_tf.engine.exponentiated_gradient import ExponentiatedGradient
from darts_tf.engine.optimizers import SGD, Adam
from darts_tf.engine.rms_prop import RMSProp
from darts_tf.exporting.offsets import Offset
from darts_tf.layers.convolutions import Conv2D, DepthwiseConv2D, EvenAndOdd
from darts_tf.layers.drop_path import DropPath
from darts_tf.layers.layouts import Layout
from darts_tf.layers.noise import GaussianNoise
from darts_tf.layers.normalization import BatchNormalization
from darts_tf.networks.recurrent import RecurrentNetwork
from darts_tf.spaces import zoo
from darts_tf.spaces.auto_deeplab import AutoDeepLab
from darts_tf.spaces.mobile import MOBILE_SMALL
from darts_tf.spaces.ptb import Recurrent
from darts_tf.spaces.search_space import SearchSpace
from darts_tf.supernet.atrous import AtrousConv
from darts_tf.supernet.cells import SearchCell
from darts_tf.supernet.inverted_bottleneck import InvertedBottleneck
from darts_tf.supernet.mixed_operation import MixedOperation
from darts_tf.supernet.mobile import MobileBlock, MobileHead, MobileStem, MobileSupernet
from darts_tf.supernet.model import Supernet
from darts_tf.supernet.operations import (
    ConvolutionalLayer,
    DilConv,
    FactorizedReduce,
    Identity,
    Noise,
    Pool,
    ReLUConvBN,
    RowAndColumn,
    SepConv,
)
from darts_tf.supernet.recurrent import RecurrentSupernet
from darts_tf.supernet.relaxation import Relaxation
from darts_tf.supernet.relaxations.agreeing import Agreeing
from darts_tf.supernet.relaxations.auxiliary_skip import AuxiliarySkip
from darts_tf.supernet.relaxations.beta_decayed import BetaDecayed
from darts_tf.supernet.relaxations.decided_edges import DecidedEdges
from darts_tf.supernet.relaxations.dirichlet import DirichletWeights
from darts_tf.supernet.relaxations.edge_normalized import EdgeNormalized
from darts_tf.supernet.relaxations.experts import Experts
from darts_tf.supernet.relaxations.gumbel import GumbelSoftmax
from darts_tf.supernet.relaxations.path_binarization import PathBinarization
from darts_tf.supernet.relaxations.perturbed import Perturbed
from darts_tf.supernet.relaxations.projected import Projected
from darts_tf.supernet.relaxations.pruned_softmax import PrunedSoftmax
from darts_tf.supernet.relaxations.random_draw import RandomDraw
from darts_tf.supernet.relaxations.sigmoid import Sigmoid
from darts_tf.supernet.relaxations.skip_dropout import SkipDropout
from darts_tf.supernet.relaxations.stoppable import Stoppable
from darts_tf.supernet.relaxations.thresholds import Thresholds
from darts_tf.supernet.residual import NormalizedConv, ResidualBlock
from darts_tf.supernet.single_path import SinglePathSupernet, SuperkernelBlock, SuperkernelEdge
from darts_tf.supernet.source_features import SourceFeatures
from darts_tf.supernet.stem import Stem
from darts_tf.supernet.superkernel import Superkernel
from darts_tf.supernet.trellis import TrellisSupernet
from tests.layers import check_layer, check_optimizer, registered

SPACE = SearchSpace(
    candidates=("none", "skip_connect", "avg_pool_3x3", "sep_conv_3x3", "dil_conv_3x3"),
    nodes=2,
    inputs_per_node=1,
    learnable=("sep_conv_3x3",),
)
TRELLIS = AutoDeepLab(layers=2, nodes=1, candidates=("skip_connect", "dil_conv_3x3"))
IMAGES = np.random.default_rng(0).normal(size=(2, 7, 6, 4))
EVEN_IMAGES = np.random.default_rng(2).normal(size=(2, 6, 8, 4))
SMALLER = np.random.default_rng(1).normal(size=(2, 4, 3, 4))
WINDOWS = np.array([[0, 0, 1, 2, 3], [0, 0, 4, 2, 0]], np.int32)  # the first ones of a text
DROPOUT = {"word": 0.1, "embedding": 0.3, "input": 0.5, "hidden": 0.1, "output": 0.2}
EDGE = np.array((0.1, 0.3, 0.2, 0.25, 0.15))


def on_images(layer):
    return layer(IMAGES)


def on_even_images(layer):
    return layer(EVEN_IMAGES)


def on_windows(layer):
    return layer(WINDOWS)


def in_training(layer):
    return layer(IMAGES, training=True)


def on_a_source(layer):
    features = SourceFeatures(layer.stride, dtype=layer.dtype)
    return layer(features(IMAGES), EDGE)


def with_a_noise_seed(layer):
    return layer(IMAGES, noise_seed=np.array((3, 4), np.int32))


def in_a_cell(layer):
    return layer(IMAGES, SMALLER, np.tile(EDGE, (5, 1)))


def without_input(layer):
    if not layer.built:
        layer.build()
    return layer.call()


CASES = {
    Offset: ({}, on_images),
    BatchNormalization: (
        {"affine": False, "momentum": 0.8, "epsilon": 1e-3, "synchronized": True},
        on_images,
    ),
    SepConv: (
        {
            "channels": 6,
            "kernel_size": 3,
            "stride": 2,
            "layout": Layout.DEPTH.value,
            "synchronized": True,
        },
        on_images,
    ),
    DilConv: (
        {"channels": 6, "kernel_size": 3, "layout": Layout.PHASES.value, "synchronized": True},
        on_images,
    ),
    AtrousConv: (
        {"channels": 6, "kernel_size": 3, "layout": Layout.PHASES.value, "synchronized": True},
        on_images,
    ),
    FactorizedReduce: (
        {"channels": 6, "layout": Layout.DEPTH.value, "synchronized": True},
        on_images,
    ),
    RowAndColumn: ({"channels": 6, "stride": 2, "layout": "even", "synchronized": True}, on_images),
    Pool: (
        {
            "channels": 6,
            "kind": "avg_pool_3x3",
            "layout": Layout.EVEN.value,
            "synchronized": True,
        },
        on_images,
    ),
    Identity: (
        {"channels": 6, "layout": Layout.EVEN.value, "synchronized": True},
        on_images,
    ),
    Noise: (
        {"channels": 4, "stride": 2, "layout": Layout.EVEN.value, "synchronized": True},
        with_a_noise_seed,
    ),
    ReLUConvBN: ({"channels": 6, "synchronized": True}, on_images),
    SourceFeatures: (
        {
            "stride": 2,
            "features": ("dilated", "avg_pool_3x3"),
            "synchronized": True,
            "normalized_pools": False,
        },
        on_images,
    ),
    MixedOperation: (
        {
            "channels": 4,
            "stride": 2,
            "candidates": SPACE.candidates,
            "synchronized": True,
            "auxiliary": True,
        },
        on_a_source,
    ),
    Relaxation: ({"search_space": SPACE}, without_input),
    GumbelSoftmax: (
        {"search_space": SPACE, "hard": True, "mean": 1.0, "stddev": 0.5, "drop_path": 0.25},
        without_input,
    ),
    BetaDecayed: ({"search_space": SPACE}, without_input),
    Perturbed: ({"search_space": SPACE}, without_input),
    AuxiliarySkip: ({"search_space": SPACE}, without_input),
    EdgeNormalized: ({"search_space": SPACE}, without_input),
    Agreeing: ({"search_space": SPACE}, without_input),
    Projected: ({"search_space": SPACE, "seed": 7, "decides": True}, without_input),
    Stoppable: ({"search_space": SPACE, "layers": 4}, without_input),
    PathBinarization: ({"search_space": SPACE}, without_input),
    RandomDraw: ({"search_space": SPACE, "seed": 7}, without_input),
    Experts: ({"search_space": SPACE, "rounds": 7}, without_input),
    PrunedSoftmax: ({"search_space": SPACE}, without_input),
    Sigmoid: ({"search_space": SPACE}, without_input),
    DecidedEdges: ({"search_space": SPACE, "history": 2}, without_input),
    DirichletWeights: ({"search_space": SPACE}, without_input),
    SkipDropout: ({"search_space": SPACE, "rate": 0.25, "learns_from": 3}, without_input),
    SearchCell: (
        {
            "channels": 4,
            "reduction": True,
            "previous_reduction": True,
            "search_space": SPACE,
            "synchronized": True,
            "cell": "reduce",
            "partial": 2,
            "auxiliary": True,
        },
        in_a_cell,
    ),
    Supernet: (
        {
            "search_space": SPACE,
            "layers": 5,
            "init_channels": 2,
            "classes": 3,
            "synchronized": True,
            "recompute": True,
            "stem": "imagenet",
            "by_stage": True,
            "partial": 2,
            "relaxation": keras.saving.serialize_keras_object(
                Relaxation(SPACE.staged(), dtype="float64", name="mine")
            ),
        },
        on_images,
    ),
    RecurrentSupernet: (
        {
            "search_space": {"name": "ptb", "nodes": 2},
            "init_channels": 4,
            "classes": 5,
            "rows": 2,
            "relaxation": keras.saving.serialize_keras_object(
                Relaxation(Recurrent(nodes=2), dtype="float64", name="mine")
            ),
            "dropout": DROPOUT,
        },
        on_windows,
    ),
    RecurrentNetwork: (
        {
            "genotype": zoo.get("DARTS_PTB_V1").to_dict(),
            "vocabulary": 5,
            "size": 4,
            "rows": 2,
            "dropout": DROPOUT,
        },
        on_windows,
    ),
    InvertedBottleneck: (
        {
            "channels": 6,
            "kernel_size": 5,
            "expansion": 3,
            "stride": 2,
            "relu_limit": 4.0,
            "layout": Layout.EVEN.value,
            "synchronized": True,
        },
        on_images,
    ),
    Superkernel: (
        {
            "channels": 6,
            "stride": 2,
            "relu_limit": 4.0,
            "layout": Layout.EVEN.value,
            "synchronized": True,
        },
        lambda layer: layer(IMAGES, EDGE[:4]),
        frozenset({"kernel_size", "expansion"}),
    ),
    SuperkernelEdge: (
        {
            "channels": 6,
            "stride": 2,
            "candidates": ("mbconv_3x3_e3", "mbconv_3x3_e6", "mbconv_5x5_e3", "mbconv_5x5_e6"),
            "synchronized": True,
        },
        lambda layer: layer({"identity": IMAGES}, EDGE[:4]),
        frozenset({"auxiliary"}),
    ),
    SuperkernelBlock: (
        {
            "channels": 6,
            "reduction": True,
            "search_space": MOBILE_SMALL.get_config(),
            "synchronized": True,
            "cell": "block_2",
        },
        lambda layer: layer(IMAGES, IMAGES, EDGE[np.newaxis, :4]),
        frozenset({"previous_reduction", "partial", "auxiliary"}),
    ),
    SinglePathSupernet: (
        {
            "search_space": MOBILE_SMALL.get_config(),
            "layers": 6,
            "init_channels": 4,
            "classes": 3,
            "synchronized": True,
            "recompute": True,
            "stem": "imagenet",
            "relaxation": keras.saving.serialize_keras_object(
                Thresholds(MOBILE_SMALL, dtype="float64", name="mine")
            ),
        },
        on_images,
        frozenset({"by_stage", "partial"}),
    ),
    Thresholds: ({"search_space": MOBILE_SMALL.get_config()}, without_input),
    MobileStem: (
        {"channels": 6, "first": 3, "kind": "imagenet", "relu_limit": 0.5, "synchronized": True},
        on_images,
    ),
    MobileHead: ({"channels": 6, "relu_limit": 0.5, "synchronized": True}, on_images),
    MobileBlock: (
        {
            "channels": 4,
            "reduction": True,
            "search_space": MOBILE_SMALL,
            "synchronized": True,
            "cell": "block_2",
        },
        lambda layer: layer(IMAGES, IMAGES, EDGE[np.newaxis]),
        frozenset({"previous_reduction", "partial", "auxiliary"}),
    ),
    MobileSupernet: (
        {
            "search_space": MOBILE_SMALL,
            "layers": 6,
            "init_channels": 4,
            "classes": 3,
            "synchronized": True,
            "recompute": True,
            "stem": "imagenet",
            "relaxation": keras.saving.serialize_keras_object(
                Relaxation(MOBILE_SMALL, dtype="float64", name="mine")
            ),
        },
        on_images,
        frozenset({"by_stage", "partial"}),
    ),
    Stem: (
        {"channels": 3, "kind": "imagenet", "synchronized": True, "multiplier": 2},
        on_images,
    ),
    NormalizedConv: (
        {
            "channels": 6,
            "kernel_size": 1,
            "stride": 2,
            "layout": Layout.EVEN.value,
            "synchronized": True,
        },
        on_images,
    ),
    ResidualBlock: ({"channels": 6, "synchronized": True}, on_images),
    TrellisSupernet: (
        {
            "search_space": TRELLIS.get_config(),
            "layers": 2,
            "init_channels": 4,
            "classes": 3,
            "synchronized": True,
            "recompute": True,
            "stem": "tiny_imagenet",
            "partial": 2,
            "relaxation": keras.saving.serialize_keras_object(
                Relaxation(TRELLIS, dtype="float64", name="mine")
            ),
        },
        on_images,
        frozenset({"by_stage"}),
    ),
    Conv2D: ({"filters": 3, "kernel_size": (1, 1)}, on_images),
    DepthwiseConv2D: ({"kernel_size": (3, 3)}, on_images),
    EvenAndOdd: ({}, on_even_images),
    DropPath: ({"rate": 0.3, "seed": 5}, on_images),
    GaussianNoise: ({"stddev": 0.5, "seed": 5}, in_training),
}
OPTIMIZERS = {
    SGD: {
        "learning_rate": 0.1,
        "momentum": 0.5,
        "l2": 0.01,
        "clip": 1.5,
        "name": "a_name",
        "nesterov": True,
    },
    Adam: {
        "learning_rate": 0.1,
        "beta_1": 0.7,
        "beta_2": 0.8,
        "epsilon": 1e-3,
        "l2": 0.01,
        "clip": 1.5,
        "name": "a_name",
    },
    RMSProp: {
        "learning_rate": 0.1,
        "momentum": 0.5,
        "l2": 0.01,
        "clip": 1.5,
        "name": "a_name",
        "decay": 0.8,
        "epsilon": 1e-2,
    },
    ExponentiatedGradient: {
        "learning_rate": 0.1,
        "l2": 0.01,
        "clip": 1.5,
        "name": "a_name",
        "rounds": 9,
        "bound": 0.3,
    },
}


def test_every_registered_class_has_a_case():
    assert set(registered().values()) == {*CASES, *OPTIMIZERS}


@pytest.mark.parametrize("kind", CASES, ids=lambda kind: kind.__name__)
def test_a_layer_comes_back_from_its_config(kind):
    check_layer(kind, *CASES[kind])


@pytest.mark.parametrize("kind", OPTIMIZERS, ids=lambda kind: kind.__name__)
def test_an_optimizer_comes_back_from_its_config(kind):
    check_optimizer(kind, OPTIMIZERS[kind])


def forgetful_config(layer):
    config = super(DropPath, layer).get_config()
    return {**config, "rate": layer.initial_rate}


def test_the_check_notices_an_argument_that_the_config_forgets(monkeypatch):
    monkeypatch.setattr(DropPath, "get_config", forgetful_config)
    with pytest.raises(AssertionError, match="seed"):
        check_layer(DropPath, *CASES[DropPath])


def test_the_check_notices_a_value_that_the_config_changes(monkeypatch):
    changed = property(lambda layer: 0.0, lambda layer, rate: None)
    monkeypatch.setattr(DropPath, "initial_rate", changed, raising=False)
    with pytest.raises(AssertionError, match="rate"):
        check_layer(DropPath, *CASES[DropPath])


def test_the_check_notices_weights_that_are_made_too_early(monkeypatch):
    def hasty(layer, channels, synchronized=False, **kwargs):
        keras.layers.Layer.__init__(layer, **kwargs)
        layer.channels, layer.synchronized = channels, synchronized
        layer.kernel("early", 1, 1, 1)

    monkeypatch.setattr(ConvolutionalLayer, "__init__", hasty)
    with pytest.raises(AssertionError):
        check_layer(ReLUConvBN, *CASES[ReLUConvBN])
