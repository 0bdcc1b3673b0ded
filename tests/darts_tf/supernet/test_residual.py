"""The supernet of NAS-Bench-201, against its twin and the benchmark's own counts."""

import math

import numpy as np
import pytest
import tensorflow as tf

from darts_tf import Supernet, methods, spaces
from tests import weights
from tests.oracles import residual, tape, trees
from tests.oracles.tape import Var

CLASSES = 5


def of_supernet(supernet):
    return {
        "stem": weights.of_operation(supernet.stem.convs[0])
        | weights.of_operation(supernet.stem.norms[0]),
        "cells": [[weights.of_edge(edge) for edge in cell.edges] for cell in supernet.cells],
        "blocks": [
            {
                "conv_1": {"kernel": block.conv_1, **weights.of_operation(block.norm_1)},
                "conv_2": {"kernel": block.conv_2, **weights.of_operation(block.norm_2)},
                "shortcut": {"kernel": block.shortcut},
            }
            for block in supernet.blocks.values()
        ],
        "output": weights.of_operation(supernet.output_norm),
        "classifier": weights.of_operation(supernet.classifier),
    }


@pytest.mark.parametrize("layers", [3, 5])
def test_it_equals_its_twin_in_loss_and_gradients(layers, seed):
    rng = np.random.default_rng(seed)
    places = spaces.get("nas_bench_201").macro(layers)
    stages = [int(math.log2(place.width)) for place in places]
    pictures, labels = rng.normal(size=(3, 8, 8, 3)), rng.integers(0, CLASSES, 3)
    alphas = rng.normal(size=(6, 5))
    params = residual.random_params(rng, 4, stages, CLASSES)

    supernet = Supernet("nas_bench_201", layers, 4, CLASSES, dtype="float64")
    supernet.build((None, 8, 8, 3))
    [table] = supernet.architecture_variables
    table.assign(alphas)
    variables = of_supernet(supernet)
    assert sum(1 for _ in trees.leaves(variables)) == len(supernet.weight_variables)
    values = weights.assign(variables, params)
    with tf.GradientTape() as gradient_tape:
        scores = supernet(pictures, training=True)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, scores)
        loss = tf.reduce_mean(losses)
    found = gradient_tape.gradient(loss, [table.value, *values])

    alpha_var, twins = Var(alphas), trees.map_leaves(Var, params)
    result = residual.logits(Var(pictures), alpha_var, twins, stages)
    twin_loss = tape.softmax_cross_entropy(result, labels)
    tape.backward(twin_loss)
    right = [alpha_var.grad, *(twin.grad for twin in weights.flat(twins))]
    assert weights.relative_error(scores, result.value) < 1e-9
    assert abs(float(loss) - float(twin_loss.value)) < 1e-9
    paths = ["alphas", *(path for path, _ in trees.leaves(twins))]
    rounding = 1e-12 * max(1, *(np.abs(theirs).max() for theirs in right))
    for path, ours, theirs in zip(paths, found, right, strict=True):
        if "bias" in path and "classifier" not in path:  # which the normalization takes away
            assert np.abs(ours).max() < rounding
            assert np.abs(theirs).max() < rounding
        else:
            assert weights.relative_error(ours, theirs) < 1e-9


def test_it_has_the_weights_of_the_benchmarks_search():
    supernet = Supernet("nas_bench_201", layers=15, init_channels=16, classes=10)
    supernet.build((None, 32, 32, 3))
    assert sum(math.prod(variable.shape) for variable in supernet.weight_variables) == 1692826
    assert sum(math.prod(variable.shape) for variable in supernet.architecture_variables) == 30


@pytest.mark.parametrize("size", [(7, 7), (6, 9)])
def test_a_block_halves_an_odd_size_rounded_up(size, seed):
    from darts_tf.supernet.residual import ResidualBlock

    images = np.random.default_rng(seed).normal(size=(2, *size, 3))
    result = ResidualBlock(8)(images)
    assert result.shape == (2, *(-(-side // 2) for side in size), 8)


@pytest.mark.parametrize("name", ["gdas", "pc_darts", "darts_minus", "random_nas"])
def test_methods_that_compute_otherwise_pass_through_it(name, seed):
    method, space = methods.get(name), spaces.get("nas_bench_201")
    supernet = Supernet(
        space,
        layers=3,
        init_channels=8,
        classes=CLASSES,
        relaxation=method.relaxation(space),
        partial=method.partial,
    )
    images = np.random.default_rng(seed).normal(size=(2, 8, 8, 3)).astype("float32")
    with tf.GradientTape() as gradient_tape:
        scores = supernet(images, training=True, seed=tf.constant((seed % 1000, 1), tf.int32))
        total = tf.reduce_sum(scores**2)
    gradients = gradient_tape.gradient(total, supernet.weight_variables)
    assert np.isfinite(scores).all()
    assert any(gradient is not None and np.abs(gradient).max() > 0 for gradient in gradients)
