import math
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.engine.scoring import Batch, score
from darts_tf.spaces.darts import DARTS
from darts_tf.supernet.model import Supernet
from tests import weights
from tests.oracles import supernet as twin

TWO_NODES = replace(DARTS, nodes=2)


def built(size, space, dtype):
    net = Supernet(space, layers=4, init_channels=4, classes=5, dtype=dtype)
    net.build((None, *size, 3))
    return net


def run(net, size, seed, batch_size=4, cells=twin.SHARED):
    """Evaluates our supernet and the twin on the same random numbers."""
    rng = np.random.default_rng(seed)
    nodes = net.search_space.nodes
    params = twin.random_params(
        rng,
        net.init_channels,
        net.cell_count,
        classes=5,
        stem_convolutions=len(net.stem.convs),
        nodes=nodes,
    )
    alphas = twin.random_alphas(rng, 0.5, cells, nodes)
    images, labels = rng.normal(size=(batch_size, *size, 3)), rng.integers(0, 5, batch_size)
    variables = weights.assign(weights.of_supernet(net), params)
    tables = weights.assign(dict(net.relaxation.alphas), alphas)
    batch = Batch(
        tf.constant(images, net.compute_dtype),
        tf.constant(labels, tf.int32),
        tf.fill((batch_size,), tf.constant(1 / batch_size, net.compute_dtype)),
    )
    with tf.GradientTape() as tape:
        logits = net(batch.images, training=True)
        loss = score(logits, batch).loss
    gradients = tape.gradient(loss, [*tables, *variables])
    right = twin.evaluate(images, labels, alphas, params)
    return (
        (logits, loss, gradients[: len(tables)], gradients[len(tables) :]),
        (right.logits, right.loss, *map(weights.flat, (right.alpha_gradients, right.gradients))),
    )


@pytest.mark.parametrize(("size", "space"), [((8, 8), DARTS), ((9, 7), TWO_NODES)])
def test_the_supernet_equals_its_twin_forwards_and_backwards(size, space, seed):
    found, right = run(built(size, space, "float64"), size, seed)
    assert weights.relative_error(found[0], right[0]) < 1e-9
    assert math.isclose(found[1], right[1], rel_tol=1e-9)
    for ours, theirs in zip([*found[2], *found[3]], [*right[2], *right[3]], strict=True):
        assert weights.relative_error(ours, theirs) < 1e-9


def test_with_imagenets_stem_and_alphas_by_stage_it_equals_its_twin(seed):
    size = (40, 33)
    net = Supernet(
        replace(DARTS, nodes=1),
        layers=5,
        init_channels=2,
        classes=5,
        stem="imagenet",
        by_stage=True,
        dtype="float64",
    )
    net.build((None, *size, 3))
    found, right = run(net, size, seed, cells=twin.STAGED)
    assert weights.relative_error(found[0], right[0]) < 1e-9
    assert len(found[2]) == 5
    for ours, theirs in zip([*found[2], *found[3]], [*right[2], *right[3]], strict=True):
        assert weights.relative_error(ours, theirs) < 1e-9


@pytest.mark.parametrize("size", [(8, 8), (9, 7)])
def test_the_supernet_equals_its_twin_in_float32(size, seed):
    found, right = run(built(size, TWO_NODES, "float32"), size, seed, batch_size=12)
    assert weights.relative_error(found[0], right[0]) < 1e-5
    assert weights.norm_error(found[2], right[2]) < 5e-3
    assert weights.norm_error(found[3], right[3]) < 1e-2


def test_darts_supernet_has_its_published_size():
    net = Supernet()
    net.build((None, 32, 32, 3))
    assert sum(math.prod(variable.shape) for variable in net.weight_variables) == 1_930_618
    assert [tuple(variable.shape) for variable in net.architecture_variables] == [(14, 8)] * 2


@pytest.mark.parametrize(("partial", "count"), [(4, 299_578), (2, 671_482)])
def test_pc_darts_supernet_has_its_published_size(partial, count):
    net = Supernet(partial=partial)
    net.build((None, 32, 32, 3))
    assert sum(math.prod(variable.shape) for variable in net.weight_variables) == count


def test_alphas_by_stage_are_five_tables_and_leave_the_weights_as_they_are():
    shapes = []
    for by_stage in (False, True):
        net = Supernet(TWO_NODES, layers=5, init_channels=2, by_stage=by_stage)
        net.build((None, 8, 8, 3))
        shapes.append([variable.shape for variable in net.weight_variables])
    assert shapes[0] == shapes[1]
    assert list(net.architecture_parameters()) == list(twin.STAGED)
    assert [tuple(variable.shape) for variable in net.architecture_variables] == [(5, 8)] * 5


def test_weights_start_as_in_pytorch_and_alphas_near_zero():
    net = Supernet(TWO_NODES, layers=3, init_channels=8)
    net.build((None, 8, 8, 1))
    for path, variable in ((v.path, v.numpy()) for v in net.weight_variables):
        if "gamma" in path or "beta" in path:
            continue
        fan_in = math.prod(variable.shape[:2] if "depthwise" in path else variable.shape[:-1])
        if path.endswith("classifier/bias"):
            fan_in = net.classifier.kernel.shape[0]
        limit = 1 / math.sqrt(fan_in)
        assert np.abs(variable).max() <= limit * (1 + 1e-6), path
        if variable.size >= 500:
            assert abs(variable.std() / (limit / math.sqrt(3)) - 1) < 0.15, path
    for table in net.architecture_parameters().values():
        assert 0.5e-3 < table.std() < 1.5e-3


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"layers": 2}, "at least 3 layers.* got 2"),
        ({"layers": 4, "by_stage": True}, "at least 5 layers.* got 4"),
        ({"init_channels": 1}, "got 8, 1"),
        ({"classes": 1}, "and 1"),
        ({"stem": "mnist"}, "got 'mnist'"),
    ],
)
def test_a_supernet_that_cannot_be_is_refused(wrong, told):
    with pytest.raises(ValueError, match=told):
        Supernet(**wrong)
