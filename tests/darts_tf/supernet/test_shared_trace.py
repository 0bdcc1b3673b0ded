"""What a shared trace leaves out, or computes again, changes no number."""

from dataclasses import replace

import keras
import numpy as np
import tensorflow as tf

from darts_tf.spaces.search_space import SearchSpace
from darts_tf.supernet.model import Supernet
from tests import weights

SPACE = SearchSpace(
    candidates=("none", "max_pool_3x3", "skip_connect", "sep_conv_3x3", "dil_conv_5x5"),
    nodes=1,
    inputs_per_node=2,
    learnable=("sep_conv_3x3", "dil_conv_5x5"),
)


FEW = replace(SPACE, candidates=("skip_connect", "sep_conv_3x3"), learnable=("sep_conv_3x3",))
PLAIN = {"search_space": SPACE, "layers": 3}
STAGED = {"search_space": FEW, "layers": 5, "stem": "imagenet", "by_stage": True}


def gradients(seed, learn, recompute=False, kind=PLAIN):
    keras.utils.set_random_seed(seed)
    net = Supernet(init_channels=2, recompute=recompute, dtype="float64", **kind)
    shape = (40, 34, 3) if kind is STAGED else (6, 6, 3)
    net.build((None, *shape))
    images = tf.constant(np.random.default_rng(seed).normal(size=(3, *shape)))
    variables = {
        "weights": [variable.value for variable in net.weight_variables],
        "architecture": [variable.value for variable in net.architecture_variables],
    }
    wanted = [v for kind, group in variables.items() if learn in (kind, "all") for v in group]

    @tf.function(autograph=False)
    def step(images):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(wanted)
            loss = tf.reduce_sum(net(images, training=True, learn=learn) ** 2)
        return tape.gradient(loss, wanted)

    found = step(images)
    averages = [variable.numpy() for variable in net.non_trainable_variables]
    return found, averages, len(variables["weights"])


def agree(ours, right):
    for mine, other in zip(ours, right, strict=True):
        assert weights.relative_error(mine, other) < 1e-9


def test_gradients_asked_for_alone_are_those_of_all_and_computing_again_changes_none(seed):
    everything, averages, count = gradients(seed, "all")
    parts = {
        "all": everything,
        "weights": everything[:count],
        "architecture": everything[count:],
    }
    for learn, recompute in (
        ("weights", False),
        ("architecture", False),
        ("all", True),
        ("architecture", True),
    ):
        found, moved, _ = gradients(seed, learn, recompute)
        agree(found, parts[learn])
        agree(moved, averages)


def test_computing_again_changes_no_gradient_by_stage(seed):
    kept, averages, _ = gradients(seed, "all", kind=STAGED)
    found, moved, _ = gradients(seed, "all", recompute=True, kind=STAGED)
    agree(found, kept)
    agree(moved, averages)
