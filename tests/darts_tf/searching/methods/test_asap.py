"""ASAP: its temperature, its grace, and its pruning, against plain NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darts_tf import methods
from darts_tf.config import SearchConfig
from darts_tf.errors import UserError
from darts_tf.searching.methods.asap import Asap
from darts_tf.searching.plugs import choose
from tests import tiny, weights
from tests.oracles import optimizers as rules
from tests.oracles import weighted


def edge_weights(alphas, kept, temperature):
    powers = np.exp(alphas / temperature) * kept
    return powers / powers.sum(1, keepdims=True)


def of_cells(alphas, kept, temperature):
    return [edge_weights(alphas[kind], kept[kind], temperature) for kind in tiny.KINDS]


def test_iterations_are_those_of_the_plain_twin(seed):
    # A great rate, so that candidates leave within a few steps.
    rate, l2 = 0.5, 1e-3
    problem = tiny.Tiny(
        {"name": "asap", "threshold": 0.8},
        seed,
        epochs=20,
        alphas=0.5,
        arch_learning_rate=rate,
        arch_weight_decay=l2,
    )
    alphas, params = problem.alphas(), problem.params()
    kept = {kind: np.ones((2, 3), bool) for kind in alphas}
    state = rules.AdamState.start([*alphas.values()])
    velocities = [np.zeros_like(array) for array in weights.flat(params)]

    for number, epoch in enumerate((10, 10, 15, 19)):
        temperature = 1.6 * 0.95**epoch
        problem.method.on_epoch_begin(epoch, 20, problem.net)
        tables = of_cells(alphas, kept, temperature)
        right = weighted.evaluate(*problem.arrays(number + 1), tables, params)
        slopes = tiny.by_kind(right.slopes)
        gradients = []
        for kind, table in alphas.items():
            u = edge_weights(table, kept[kind], temperature)
            mean = (u * slopes[kind]).sum(1, keepdims=True)
            gradients.append(u * (slopes[kind] - mean) / temperature)
        new, state = rules.adam_step([*alphas.values()], gradients, state, rate, (0.5, 0.999), l2)
        alphas = dict(zip(alphas, new, strict=True))
        for kind, table in alphas.items():
            kept[kind] &= edge_weights(table, kept[kind], temperature) >= 0.8 / 3
        tables = of_cells(alphas, kept, temperature)
        right = weighted.evaluate(*problem.arrays(number), tables, params)
        params, velocities = tiny.weight_step(params, right.gradients, velocities)

        score = problem.step(problem.batch(number), problem.batch(number + 1), (epoch, number))
        np.testing.assert_allclose(score.loss, right.loss, rtol=1e-9)
        problem.check(alphas, params)
        for kind, stays in problem.net.kept().items():
            np.testing.assert_array_equal(stays, kept[kind])
            strengths = problem.net.strengths()[kind]
            expected = edge_weights(alphas[kind], stays, temperature)
            np.testing.assert_allclose(strengths, expected, rtol=1e-9)
    assert any(stays.sum() < stays.size for stays in kept.values())
    assert problem.method.measures(problem.net) == {
        "temperature": pytest.approx(temperature, rel=1e-12),
        **{f"candidates_left_{kind}": stays.sum() for kind, stays in kept.items()},
    }


@given(st.floats(0.05, 50.0), st.floats(0.1, 0.999))
def test_grace_ends_with_the_first_epoch_below_one(temperature, decay):
    epochs, value = 0, temperature
    while value * decay**epochs >= 1:
        epochs += 1
    asap = Asap(temperature=temperature, decay=decay)
    assert asap.grace() == epochs
    assert asap.temperature_of(3) == pytest.approx(temperature * decay * decay * decay)


@pytest.mark.parametrize(("start", "expected"), [(0, 10), (4, 10), (25, 25)])
def test_alphas_learn_after_grace_and_not_before_the_settings_say(start, expected):
    config = SearchConfig(epochs=50, arch_start_epoch=start)
    assert methods.get("asap").stage(0, config, tiny.SPACE, ()).arch_start_epoch == expected


def test_a_search_within_grace_is_refused():
    with pytest.raises(UserError, match=r"epochs: expected more than 10 with .*; got 10$"):
        choose(SearchConfig(method="asap", epochs=10))
    choose(SearchConfig(method="asap", epochs=11))


def test_pruning_never_empties_an_edge_and_ends_with_one_candidate(seed):
    layer = Asap().relaxation(tiny.SPACE, dtype="float32")
    layer.build()
    rng = np.random.default_rng(seed)
    # Equal weights, of which rounding may put all below a threshold of almost 1/3.
    for alphas in layer.alphas.values():
        alphas.assign(np.zeros((2, 3)))
    layer.prune(1 - 1e-12)
    assert layer.left() == {"normal": 6, "reduce": 6}
    layer.alphas["normal"].assign(rng.permuted([[0.0, 1.0, 5.0], [0.0, 1.0, 5.0]], axis=1))
    layer.prune(0.4)
    table = layer.alphas["normal"].numpy()
    np.testing.assert_array_equal(layer.kept()["normal"], table == 5.0)
    layer.alphas["normal"].assign(-table)
    layer.prune(0.4)
    np.testing.assert_array_equal(layer.kept()["normal"], table == 5.0)
    np.testing.assert_array_equal(layer.strengths()["normal"], table == 5.0)
