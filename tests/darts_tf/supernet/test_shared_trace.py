"""What a shared trace leaves out, or computes again, changes no number."""

import keras
import numpy as np
import pytest
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


PLAIN = {"layers": 3}
STAGED = {"layers": 5, "stem": "imagenet", "by_stage": True}


def gradients(seed, learn, recompute=False, kind=PLAIN):
    keras.utils.set_random_seed(seed)
    net = Supernet(SPACE, init_channels=2, recompute=recompute, dtype="float64", **kind)
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


def test_gradients_asked_for_alone_are_those_of_all(seed):
    everything, averages, count = gradients(seed, "all")
    for learn, part in (("weights", everything[:count]), ("architecture", everything[count:])):
        found, moved, _ = gradients(seed, learn)
        agree(found, part)
        agree(moved, averages)


@pytest.mark.parametrize(
    ("learn", "kind"),
    [("all", PLAIN), ("architecture", PLAIN), ("all", STAGED)],
    ids=["all", "architecture", "staged"],
)
def test_computing_again_changes_neither_gradients_nor_running_averages(learn, kind, seed):
    kept, averages, _ = gradients(seed, learn, kind=kind)
    found, moved, _ = gradients(seed, learn, recompute=True, kind=kind)
    agree(found, kept)
    agree(moved, averages)
