"""Auto-DeepLab's supernet equals its twin, and says what goes together."""

import math

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.engine.scoring import Batch, score
from darts_tf.errors import UserError
from darts_tf.spaces.auto_deeplab import AutoDeepLab
from darts_tf.supernet.relaxation import Relaxation
from darts_tf.supernet.trellis import TrellisSupernet
from tests import weights
from tests.oracles import trellis as twin

CANDIDATES = ("none", "skip_connect", "max_pool_3x3", "dil_conv_3x3")
SPACE = AutoDeepLab(nodes=1, candidates=CANDIDATES)


def built(layers, size, space=SPACE, **settings):
    net = TrellisSupernet(space, layers, init_channels=2, classes=5, dtype="float64", **settings)
    net.build((None, *size, 3))
    return net


@pytest.mark.parametrize(
    ("layers", "size", "nodes", "candidates"),
    [
        (4, (9, 14), 1, CANDIDATES),
        (2, (8, 7), 2, ("none", "skip_connect", "avg_pool_3x3", "sep_conv_3x3", "atrous_conv_3x3")),
    ],
)
def test_the_trellis_equals_its_twin_forwards_and_backwards(layers, size, nodes, candidates, seed):
    rng = np.random.default_rng(seed)
    net = built(layers, size, AutoDeepLab(nodes=nodes, candidates=candidates))
    params = twin.random_params(rng, 2, layers, 5, nodes, candidates)
    tables = {
        name: rng.normal(size=table.shape) for name, table in net.architecture_parameters().items()
    }
    images, labels = rng.normal(size=(3, *size, 3)), rng.integers(0, 5, 3)
    variables = weights.assign(weights.of_supernet(net), params)
    alphas = weights.assign(dict(net.relaxation.alphas), tables)
    batch = Batch(
        tf.constant(images),
        tf.constant(labels, tf.int32),
        tf.fill((3,), tf.constant(1 / 3, tf.float64)),
    )
    with tf.GradientTape() as tape:
        logits = net(batch.images, training=True)
        loss = score(logits, batch).loss
    found = tape.gradient(loss, [*alphas, *variables])

    right = twin.evaluate(images, labels, tables, params, layers)
    assert weights.relative_error(logits, right.logits) < 1e-9
    assert math.isclose(loss, right.loss, rel_tol=1e-9)
    expected = [*weights.flat(right.alpha_gradients), *weights.flat(right.gradients)]
    for ours, theirs in zip(found, expected, strict=True):
        assert weights.relative_error(ours, theirs) < 1e-9


def test_what_learns_alone_has_the_gradient_that_it_has_with_all(seed):
    net = built(3, (6, 6))
    images = tf.constant(np.random.default_rng(seed).normal(size=(2, 6, 6, 3)))

    def gradients(learn):
        of = {"weights": net.weight_variables, "architecture": net.architecture_variables}
        variables = of.get(learn, [*of["weights"], *of["architecture"]])
        with tf.GradientTape() as tape:
            scalar = tf.reduce_sum(net(images, training=True, learn=learn) ** 2)
        return tape.gradient(scalar, [variable.value for variable in variables])

    together = gradients("all")
    apart = [*gradients("weights"), *gradients("architecture")]
    for one, other in zip(apart, together, strict=True):
        assert weights.relative_error(one, other) < 1e-9


def test_a_beta_of_one_leaves_the_other_cells_out(seed):
    net = built(2, (8, 8))
    images = tf.constant(np.random.default_rng(seed).normal(size=(2, 8, 8, 3)))
    hot = tf.constant(np.eye(2, 3)[[0, 0, 0]])  # every node leads to its first level
    given = [*net.edge_weights()[:-1], hot]
    with tf.GradientTape(persistent=True) as tape:
        scalar = tf.reduce_sum(net(images, training=True, edge_weights=given) ** 2)
    for cell in net.cells:
        sizes = [
            tf.reduce_max(tf.abs(g)) for g in tape.gradient(scalar, [cell.preprocess_1.conv.value])
        ]
        assert (max(sizes) > 0) == (cell.name in ("cell_1_0_0", "cell_2_0_0"))


def test_cells_lead_to_levels_of_half_the_size_and_twice_the_channels():
    net = built(4, (13, 8))
    assert len(net.cells) == 2 + 5 + 8 + 10
    found = {int(cell.name[-1]): (cell.image_sizes[1], cell.channels) for cell in net.cells}
    assert found == {0: ((13, 8), 2), 1: ((7, 4), 4), 2: ((4, 2), 8), 3: ((2, 1), 16)}
    assert net.classifier.kernel.shape == (2 + 4 + 8 + 16, 5)


def test_a_space_is_taken_for_the_layers_of_the_supernet():
    assert TrellisSupernet(AutoDeepLab(layers=5), layers=3).search_space.layers == 3
    for wrong in ({"layers": 1}, {"layers": 3, "relaxation": Relaxation(AutoDeepLab(layers=4))}):
        with pytest.raises(ValueError, match="layers"):
            TrellisSupernet(**wrong)
    with pytest.raises(UserError, match="each stage"):
        TrellisSupernet(by_stage=True)
