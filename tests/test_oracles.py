"""The NumPy twins against finite differences, closed forms and published numbers."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.oracles import agreement, criteria, images, optimizers, parameters, supernet, tape, trees
from tests.oracles.mixed_operation import mixed_operation
from tests.oracles.operations import CANDIDATES, OPERATIONS, factorized_reduce, relu_conv_bn
from tests.oracles.tape import Var

STEPS = (1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9)
IMAGE = (2, 5, 6, 3)


def by_averages(x: Var, gamma: Var | None = None, beta: Var | None = None) -> Var:
    averages = images.Averages()
    averages.pairs = [(np.array([0.5, -1.0, 0.0]), np.array([0.5, 2.0, 4.0]))]
    with averages.in_pass(training=False):
        return images.batch_norm(x, gamma, beta)[0]


# Each case: a function of variables, and the shapes of its arguments.
PRIMITIVES: dict[str, tuple[Callable[..., Var], list[tuple[int, ...]]]] = {
    "add": (tape.add, [(2, 3), (2, 3)]),
    "add_to_itself": (lambda x: tape.add(x, x), [(2, 3)]),
    "scale": (tape.scale, [(2, 3), ()]),
    "pick": (lambda x: tape.pick(tape.pick(x, 1), 2), [(3, 4)]),
    "take": (lambda x: tape.take(x, (2, 0)), [(2, 3)]),
    "times": (lambda x: tape.times(x, np.array([[1.0, 0.0, 2.0]])), [(2, 3)]),
    "relu": (tape.relu, [IMAGE]),
    "concat": (lambda *x: tape.concat(x), [(2, 3), (2, 1), (2, 4)]),
    "dense": (tape.dense, [(2, 3), (3, 4), (4,)]),
    "softmax": (tape.softmax, [(3, 5)]),
    "cross_entropy": (lambda x: tape.softmax_cross_entropy(x, [1, 0, 4]), [(3, 5)]),
    "conv": (images.conv2d, [IMAGE, (3, 3, 3, 2)]),
    "conv_stride_2": (lambda x, k: images.conv2d(x, k, 2), [IMAGE, (3, 3, 3, 2)]),
    "conv_dilated": (lambda x, k: images.conv2d(x, k, 2, 2), [IMAGE, (3, 3, 3, 2)]),
    "conv_1x7": (lambda x, k: images.conv2d(x, k, (1, 2)), [IMAGE, (1, 7, 3, 2)]),
    "depthwise": (images.depthwise_conv2d, [IMAGE, (3, 3, 3, 1)]),
    "depthwise_5": (lambda x, k: images.depthwise_conv2d(x, k, 2), [IMAGE, (5, 5, 3, 1)]),
    "dilated": (lambda x, k: images.depthwise_conv2d(x, k, 1, 2), [IMAGE, (3, 3, 3, 1)]),
    "dilated_stride_2": (lambda x, k: images.depthwise_conv2d(x, k, 2, 2), [IMAGE, (5, 5, 3, 1)]),
    "max_pool": (images.max_pool, [IMAGE]),
    "max_pool_stride_2": (lambda x: images.max_pool(x, 2), [IMAGE]),
    "max_pool_2x2": (images.max_pool_2x2, [IMAGE]),
    "avg_pool": (images.avg_pool, [IMAGE]),
    "avg_pool_stride_2": (lambda x: images.avg_pool(x, 2), [IMAGE]),
    "batch_norm": (lambda x: images.batch_norm(x)[0], [IMAGE]),
    "batch_norm_affine": (lambda x, g, b: images.batch_norm(x, g, b)[0], [IMAGE, (3,), (3,)]),
    "by_averages": (by_averages, [IMAGE]),
    "by_averages_affine": (by_averages, [IMAGE, (3,), (3,)]),
    "shift": (lambda x: images.shift(x, 1, 1), [IMAGE]),
    "upsample": (lambda x: images.upsample(x, (10, 11)), [IMAGE]),
    "global_mean": (images.global_mean, [IMAGE]),
}


@pytest.mark.parametrize("name", PRIMITIVES)
def test_an_adjoint_is_the_derivative_in_every_entry(name: str, seed: int) -> None:
    function, shapes = PRIMITIVES[name]
    rng = np.random.default_rng(seed)
    inputs = [Var(rng.normal(size=shape)) for shape in shapes]
    result = function(*inputs)
    gradient = rng.normal(size=result.shape)
    tape.backward(result, gradient)

    for position, var in enumerate(inputs):
        for index in np.ndindex(var.shape):

            def moved(step: float, position: int = position, index: Any = index) -> float:
                values = [other.value.copy() for other in inputs]
                values[position][index] += step
                return float(np.sum(gradient * function(*map(Var, values)).value))

            assert_slope(moved, var.grad[index])


@pytest.mark.parametrize(
    ("layers", "stem", "cells", "size"),
    [
        (3, 1, supernet.SHARED, (7, 8)),
        (5, 3, supernet.STAGED, (33, 24)),
    ],
)
def test_the_supernets_gradients_are_its_derivatives(
    layers: int, stem: int, cells: tuple[str, ...], size: tuple[int, int], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    pictures, labels = rng.normal(size=(3, *size, 2)), rng.integers(0, 4, 3)
    params = supernet.random_params(rng, 2, layers, 4, image_channels=2, stem_convolutions=stem)
    alphas = supernet.random_alphas(rng, 1.0, cells)
    found = supernet.evaluate(pictures, labels, alphas, params)
    assert found.logits.shape == (3, 4)

    parts = [(alphas, found.alpha_gradients)]
    parts += [(params[part], found.gradients[part]) for part in params]
    for values, gradients in parts:
        arrays = [leaf for _, leaf in trees.leaves(values)]
        slopes = [leaf for _, leaf in trees.leaves(gradients)]
        originals = [array.copy() for array in arrays]
        # Partly along the gradient, where the slope is large enough to be told from rounding.
        length = math.sqrt(sum(np.sum(slope**2) for slope in slopes))
        way = [slope / length + 0.1 * rng.normal(size=slope.shape) for slope in slopes]

        def moved(
            step: float, arrays: Any = arrays, start: Any = originals, way: Any = way
        ) -> float:
            for array, original, direction in zip(arrays, start, way, strict=True):
                array[...] = original + step * direction
            return supernet.evaluate(pictures, labels, alphas, params).loss

        assert_slope(moved, sum(np.sum(d * s) for d, s in zip(way, slopes, strict=True)))
        moved(0.0)


@pytest.mark.parametrize("affine", [False, True])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_keeps_the_size_or_halves_it(
    name: str, stride: int, affine: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    params = trees.map_leaves(Var, parameters.random_operation(rng, name, 4, stride, affine))
    x = Var(rng.normal(size=(2, 9, 8, 4)))
    result = OPERATIONS[name](x, params, stride, affine)
    assert result.shape == ((2, 9, 8, 4) if stride == 1 else (2, 5, 4, 4))
    pooled = {"max_pool_3x3": images.max_pool, "avg_pool_3x3": images.avg_pool}
    if affine and name in pooled:
        np.testing.assert_array_equal(result.value, pooled[name](x, stride).value)
    elif name in CANDIDATES and name not in ("none", "skip_connect") and not affine:
        np.testing.assert_allclose(result.value.mean((0, 1, 2)), 0, atol=1e-12)


def test_a_convolution_is_its_definition_at_one_pixel(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, kernel = rng.normal(size=(1, 7, 7, 3)), rng.normal(size=(5, 3, 3, 2))
    row, column = rng.integers(0, 4, 2)
    expected = np.zeros(2)
    for i in range(5):
        for j in range(3):
            r, c = 2 * row + i - 2, 2 * column + j - 1
            if 0 <= r < 7 and 0 <= c < 7:
                expected += x[0, r, c] @ kernel[i, j]
    found = images.conv2d(Var(x), Var(kernel), 2)
    np.testing.assert_allclose(found.value[0, row, column], expected, rtol=1e-12, atol=1e-12)


def test_a_depthwise_convolution_is_a_convolution_with_a_diagonal_kernel(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, kernel = Var(rng.normal(size=IMAGE)), rng.normal(size=(3, 3, 3, 1))
    spread = np.zeros((5, 5, 3, 1))
    spread[::2, ::2] = kernel
    for stride in (1, 2):
        full = images.conv2d(x, Var(spread * np.eye(3)), stride).value
        dilated = images.depthwise_conv2d(x, Var(kernel), stride, dilation=2).value
        np.testing.assert_allclose(dilated, full, rtol=1e-12, atol=1e-12)


def test_a_dilated_convolution_has_a_kernel_with_gaps(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, kernel = Var(rng.normal(size=IMAGE)), rng.normal(size=(3, 3, 3, 2))
    spread = np.zeros((5, 5, 3, 2))
    spread[::2, ::2] = kernel
    for stride in (1, 2):
        dilated = images.conv2d(x, Var(kernel), stride, dilation=2).value
        np.testing.assert_allclose(dilated, images.conv2d(x, Var(spread), stride).value, rtol=1e-12)


def test_doubling_an_image_keeps_a_ramp_a_ramp_inside() -> None:
    ramp = np.arange(4.0)[None, :, None, None] + 10 * np.arange(3.0)[None, None, :, None]
    found = images.upsample(Var(ramp), (8, 6)).value[0, :, :, 0]
    rows = np.clip(np.arange(8) / 2 - 0.25, 0, 3)
    columns = np.clip(np.arange(6) / 2 - 0.25, 0, 2)
    np.testing.assert_allclose(found, rows[:, None] + 10 * columns, rtol=1e-14)


def test_pools_at_the_border_see_only_the_image(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for stride in (1, 2):
        ones = images.avg_pool(Var(np.ones(IMAGE)), stride).value
        np.testing.assert_allclose(ones, 1, rtol=1e-15)
    x = -np.abs(rng.normal(size=IMAGE)) - 1
    for pool, reduced in ((images.max_pool, np.max), (images.avg_pool, np.mean)):
        corner = reduced(x[:, :2, :2], axis=(1, 2))
        np.testing.assert_allclose(pool(Var(x), 2).value[:, 0, 0], corner, rtol=1e-14)
        inner = reduced(x[:, 1:4, 1:4], axis=(1, 2))
        np.testing.assert_allclose(pool(Var(x), 2).value[:, 1, 1], inner, rtol=1e-14)


def test_of_equal_pixels_the_first_gets_a_max_pools_gradient() -> None:
    x = Var(np.ones((1, 3, 3, 1)))
    tape.backward(images.max_pool(x, 2), np.array([[1.0, 2.0], [4.0, 8.0]])[None, :, :, None])
    expected = np.array([[1.0, 2.0, 0.0], [4.0, 8.0, 0.0], [0.0, 0.0, 0.0]])
    np.testing.assert_array_equal(x.grad[0, :, :, 0], expected)


def test_normalisation_divides_by_the_biased_deviation_and_reports_the_unbiased(seed: int) -> None:
    x = np.random.default_rng(seed).normal(3, 2, size=IMAGE)
    result, mean, variance = images.batch_norm(Var(x))
    np.testing.assert_allclose(mean, x.mean((0, 1, 2)))
    np.testing.assert_allclose(variance, x.var((0, 1, 2), ddof=1))
    expected = (x - x.mean((0, 1, 2))) / np.sqrt(x.var((0, 1, 2)) + 1e-5)
    np.testing.assert_allclose(result.value, expected)


def test_running_averages_keep_nine_tenths_in_a_training_pass(seed: int) -> None:
    batches = np.random.default_rng(seed).normal(3, 2, size=(2, 2, *IMAGE))
    averages = images.Averages()
    for pair in batches:
        with averages.in_pass(training=True):
            for x in pair:
                images.batch_norm(Var(x))
    with averages.in_pass(training=False):
        results = [images.batch_norm(Var(x))[0].value for x in batches[0]]
    for number, result in enumerate(results):
        first, last = batches[:, number]
        mean = 0.09 * first.mean((0, 1, 2)) + 0.1 * last.mean((0, 1, 2))
        spread = 0.09 * first.var((0, 1, 2), ddof=1) + 0.1 * last.var((0, 1, 2), ddof=1)
        expected = (first - mean) / np.sqrt(0.81 + spread + 1e-5)
        np.testing.assert_allclose(result, expected, rtol=1e-12, atol=1e-12)


def test_the_directions_of_agreement_are_the_slopes_of_the_mean_cosine(seed: int) -> None:
    vectors = np.random.default_rng(seed).normal(size=(3, 2, 4))
    found = agreement.directions(list(vectors))
    for index in np.ndindex(vectors.shape):
        way = np.zeros_like(vectors)
        way[index] = 1.0
        assert_slope(
            lambda step, way=way: agreement.mean_cosine(vectors + step * way),
            found[index[0]][index[1:]],
        )


def test_resting_weights_and_velocities_stay_and_count_for_no_norm() -> None:
    weights, velocities = optimizers.sgd_step(
        [np.ones(1), np.ones(1)],
        [np.array([8.0]), np.array([100.0])],
        [np.ones(1), np.ones(1)],
        0.1,
        momentum=0.9,
        weight_decay=0.5,
        max_norm=10.0,
        resting=[False, True],
    )
    np.testing.assert_allclose(np.concatenate(velocities), [0.9 + 8 + 0.5, 1.0])
    np.testing.assert_allclose(np.concatenate(weights), [1 - 0.1 * 9.4, 1.0])


def test_a_factorized_reduce_reads_even_pixels_and_odd_ones(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for rows in (4, 5):
        x = np.abs(rng.normal(size=(2, rows, rows, 1)))
        unit = Var(np.ones((1, 1, 1, 1)))
        found = factorized_reduce(Var(x), {"conv_1": unit, "conv_2": unit}).value
        odd = np.zeros_like(x[:, ::2, ::2])
        odd[:, : rows // 2, : rows // 2] = x[:, 1::2, 1::2]
        for channel, pixels in enumerate((x[:, ::2, ::2], odd)):
            expected = images.batch_norm(Var(pixels))[0].value[..., 0]
            np.testing.assert_allclose(found[..., channel], expected, rtol=1e-12, atol=1e-12)


def test_operations_apply_their_relu_first(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(2, 8, 8, 4))
    for name in ("sep_conv_3x3", "dil_conv_5x5", "conv_7x1_1x7"):
        params = trees.map_leaves(Var, parameters.random_operation(rng, name, 4, 2, affine=True))
        plain, positive = (
            OPERATIONS[name](Var(image), params, 2, affine=True).value
            for image in (x, np.maximum(x, 0))
        )
        np.testing.assert_array_equal(plain, positive)
    kernel = {"kernel": Var(parameters.random_kernel(rng, 1, 1, 4, 6))}
    assert relu_conv_bn(Var(x), kernel).shape == (2, 8, 8, 6)
    np.testing.assert_array_equal(
        relu_conv_bn(Var(x), kernel).value, relu_conv_bn(Var(np.maximum(x, 0)), kernel).value
    )


def test_a_weight_of_one_picks_its_candidate(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = Var(rng.normal(size=(2, 8, 8, 4)))
    for stride in (1, 2):
        params = {
            name: trees.map_leaves(Var, parameters.random_operation(rng, name, 4, stride))
            for name in CANDIDATES
        }
        for number, name in enumerate(CANDIDATES):
            found = mixed_operation(x, Var(np.eye(8)[number]), params, stride).value
            alone = CANDIDATES[name](x, params[name], stride).value
            np.testing.assert_allclose(found, alone, rtol=1e-12, atol=1e-12)


def test_the_supernet_of_the_paper_has_as_many_weights_as_darts(seed: int) -> None:
    params = supernet.random_params(np.random.default_rng(seed))
    assert sum(leaf.size for _, leaf in trees.leaves(params)) == 1_930_618
    alphas = supernet.random_alphas(np.random.default_rng(seed))
    assert {kind: table.shape for kind, table in alphas.items()} == {
        "normal": (14, 8),
        "reduce": (14, 8),
    }


def test_clipping_leaves_short_gradients_and_shortens_long_ones(seed: int) -> None:
    rng = np.random.default_rng(seed)
    gradients = [rng.normal(size=(3, 4)), rng.normal(size=5)]
    norm = np.linalg.norm(np.concatenate([g.ravel() for g in gradients]))
    for g, same in zip(gradients, optimizers.clip_to_global_norm(gradients, 2 * norm), strict=True):
        np.testing.assert_array_equal(same, g)
    clipped = optimizers.clip_to_global_norm(gradients, norm / 2)
    for g, half in zip(gradients, clipped, strict=True):
        np.testing.assert_allclose(half, g / 2 * norm / (norm + 1e-6), rtol=1e-12)


def test_sgd_under_a_constant_gradient_sums_a_geometric_series() -> None:
    weights, velocities = [np.zeros(1)], [np.zeros(1)]
    for _ in range(7):
        weights, velocities = optimizers.sgd_step(
            weights, [np.ones(1)], velocities, 0.1, momentum=0.9, weight_decay=0.0
        )
    np.testing.assert_allclose(velocities[0], (1 - 0.9**7) / (1 - 0.9))
    expected = -0.1 * sum((1 - 0.9**n) / (1 - 0.9) for n in range(1, 8))
    np.testing.assert_allclose(weights[0], expected)


def test_weight_decay_joins_after_clipping() -> None:
    (weight,), _ = optimizers.sgd_step(
        [np.array([10.0])], [np.array([100.0])], [np.zeros(1)], 0.1, 0.9, 0.5, max_norm=5.0
    )
    np.testing.assert_allclose(weight, 10 - 0.1 * (5 + 0.5 * 10), rtol=1e-7)


def test_adams_first_step_has_the_length_of_the_rate(seed: int) -> None:
    weights = [np.random.default_rng(seed).normal(size=6) + 3]
    state = optimizers.AdamState.start(weights)
    gradients = [np.zeros(6)]
    (moved,), state = optimizers.adam_step(weights, gradients, state, 0.01, (0.5, 0.999), 1e-3)
    pull = 1e-3 * weights[0]
    np.testing.assert_allclose(moved, weights[0] - 0.01 * pull / (np.abs(pull) + 1e-8), rtol=1e-12)
    assert state.steps == 1


def test_adam_under_a_constant_gradient_goes_at_the_rate() -> None:
    weights = [np.zeros(2)]
    state = optimizers.AdamState.start(weights)
    for _ in range(20):
        weights, state = optimizers.adam_step(
            weights, [np.array([2.0, -3.0])], state, 0.01, (0.5, 0.999), 0.0
        )
    np.testing.assert_allclose(weights[0], [-0.2, 0.2], rtol=1e-6)


def test_the_cosine_has_the_published_numbers() -> None:
    assert optimizers.cosine(0, 50, 0.025, 0.001) == pytest.approx(0.025, rel=1e-12)
    assert optimizers.cosine(25, 50, 0.025, 0.001) == pytest.approx(0.013, rel=1e-12)
    assert optimizers.cosine(49, 50, 0.025, 0.001) == pytest.approx(1.023679e-03, rel=1e-6)


def test_derivation_keeps_two_edges_a_node_and_never_none(seed: int) -> None:
    rng = np.random.default_rng(seed)
    names = tuple(CANDIDATES)
    strengths = rng.uniform(0, 0.5, (14, 8))
    strengths[:, 0] = 1.0
    wanted = []
    for node in range(4):
        first = node * (node + 3) // 2
        strong, weak = rng.choice(node + 2, 2, replace=False)
        for source, strength in ((strong, 0.9), (weak, 0.8)):
            candidate = int(rng.integers(1, 8))
            strengths[first + source, candidate] = strength
            wanted.append((names[candidate], source))
    assert criteria.derive(strengths) == wanted
    assert criteria.derive(np.zeros((14, 8)))[-2:] == [("max_pool_3x3", 0), ("max_pool_3x3", 1)]


def alphas_with(skips: int) -> list[list[float]]:
    """Alphas of a cell whose genotype has so many skip-connects."""
    table = [[0.0] * 8 for _ in range(14)]
    kept = [node * (node + 3) // 2 + source for node in range(4) for source in (0, 1)]
    for number, edge in enumerate(kept):
        table[edge][3 if number < skips else 4] = 1.0
    return table


def test_criterion_1_stops_at_the_first_epoch_with_two_skips() -> None:
    for skips in range(9):
        assert criteria.skip_connects(alphas_with(skips)) == skips
    history = [
        {"normal": alphas_with(normal), "reduce": alphas_with(reduce)}
        for normal, reduce in ((1, 2), (0, 0), (2, 0), (0, 0), (5, 3))
    ]
    assert criteria.criterion_1(history) == 2
    assert criteria.criterion_1(history[:2]) is None
    assert criteria.criterion_1(history, cells=("normal", "reduce")) == 0
    assert criteria.criterion_1(history, at=3) == 4
    assert criteria.criterion_1(history, min_epochs=4) == 4


def test_criterion_1_star_stops_when_the_order_has_held_still() -> None:
    calm: dict[str, Any] = {"normal": [[0, 0, 0, 0, 4, 3, 2, 1]] * 14, "reduce": [[0.0] * 8] * 14}
    other = {**calm, "normal": [*calm["normal"][:13], [9, 9, 9, 9, 4, 3, 1, 2]]}
    assert criteria.criterion_1_star([calm] * 20) == 10
    assert criteria.criterion_1_star([calm] * 10) is None
    assert criteria.criterion_1_star([calm] * 5 + [other] * 20) == 15
    assert criteria.criterion_1_star([calm] * 5 + [other] + [calm] * 20) == 16
    assert criteria.criterion_1_star([calm] * 5 + [other] * 20, ranks=2) == 10
    assert criteria.criterion_1_star([calm] * 20, min_epochs=15) == 14
    noisy = [{**calm, "reduce": [[0, 0, 0, 0, 0, e % 2, 0, 0]] * 14} for e in range(20)]
    assert criteria.criterion_1_star(noisy) == 10
    assert criteria.criterion_1_star(noisy, cells=("normal", "reduce")) is None


def test_the_twins_import_nothing_that_they_judge() -> None:
    code = (
        "import sys; from tests.oracles import criteria, optimizers, supernet; "
        "print(sorted({'darts_tf', 'tensorflow', 'keras', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def assert_slope(function: Callable[[float], float], expected: float) -> None:
    """Compares with central differences at several steps: kinks, curvature and rounding differ."""
    errors = []
    for step in STEPS:
        slope = (function(step) - function(-step)) / (2 * step)
        errors.append(abs(slope - expected) / max(1e-2, abs(expected)))
    assert min(errors) < 1e-5, f"expected {expected}, relative errors {errors} at steps {STEPS}"
