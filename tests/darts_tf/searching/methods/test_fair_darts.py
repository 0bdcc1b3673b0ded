"""FairDARTS: sigmoids, the zero-one loss, and cells whose nodes may lose edges."""

import math

import numpy as np
import pytest
import tensorflow as tf

from darts_tf import methods, spaces
from darts_tf.config import SearchConfig
from darts_tf.searching.search import search
from darts_tf.spaces.genotype import read_genotype
from tests.tiny import SPACE, tiny_supernet


@pytest.fixture(scope="module")
def supernet():
    return tiny_supernet("fair_darts", 0)


def sigmoid(table):
    return np.array([[1 / (1 + math.exp(-alpha)) for alpha in row] for row in table])


def assigned(supernet, seed):
    rng = np.random.default_rng(seed)
    tables = {cell: rng.normal(size=(2, 2)) for cell in ("normal", "reduce")}
    for cell, table in tables.items():
        supernet.relaxation.alphas[cell].assign(table)
    return {cell: variable.numpy() for cell, variable in supernet.relaxation.alphas.items()}


def test_alphas_start_at_zero_without_noise_and_without_none():
    relaxation = methods.get("fair_darts").relaxation(SPACE)
    relaxation.build()
    assert not any(np.any(table) for table in relaxation.architecture_parameters().values())
    assert relaxation.initial_noise() == {"normal": 0.0, "reduce": 0.0}
    stage = methods.get("fair_darts").stage(0, SearchConfig(), spaces.get("darts"), ())
    for cell in stage.space.cells:
        assert all(
            edge.candidates == spaces.get("darts").candidates[1:]
            for edge in stage.space.edges(cell)
        )
        assert stage.space.mask(cell).shape == (14, 7)


def test_weights_and_strengths_are_sigmoids(supernet, seed):
    for cell, table in assigned(supernet, seed).items():
        right = sigmoid(table)
        np.testing.assert_allclose(supernet.relaxation.call()[cell], right, rtol=1e-12)
        np.testing.assert_allclose(supernet.strengths()[cell], right, rtol=1e-12)


def test_the_zero_one_loss_and_its_gradient_are_those_of_both_tables_together(supernet, seed):
    tables = assigned(supernet, seed)
    variables = [variable.value for variable in supernet.architecture_variables]
    with tf.GradientTape() as tape:
        loss = methods.get("fair_darts").penalty(supernet)
    u = np.concatenate([sigmoid(table) for table in tables.values()])
    assert float(loss) == pytest.approx(-10 * np.mean((u - 0.5) ** 2), rel=1e-12)
    slopes = np.concatenate([slope.numpy() for slope in tape.gradient(loss, variables)])
    np.testing.assert_allclose(slopes, -20 * (u - 0.5) * u * (1 - u) / u.size, rtol=1e-9)


def check_derived(settings, twin, seed):
    """Compares the cells that the method derives with those of a plain twin."""
    rng, method = np.random.default_rng(seed), methods.get({"name": "fair_darts", **settings})
    space = method.stage(0, SearchConfig(), spaces.get("darts"), ()).space
    names = space.edges("normal")[0].candidates
    for _ in range(20):
        tables = {cell: rng.uniform(size=(14, 7)) for cell in space.cells}
        genotype = method.derive(tables, space)
        for cell, table in tables.items():
            assert list(genotype.edges(cell)) == twin(table, names, settings["threshold"])
        # What a search writes down is read again.
        assert read_genotype(genotype.to_json()) == genotype


def kept(table, names, threshold):
    """The edges of a cell by FairDARTS's rule, in plain Python."""
    edges, row = [], 0
    for node in range(2, 6):
        best = []
        for source in range(node):
            strengths = [(-table[row][c], c) for c in range(len(names)) if names[c] != "none"]
            strength, column = min(strengths)
            best.append((strength, source, names[column]))
            row += 1
        best.sort(key=lambda one: one[:2])
        edges += [(op, source, node) for s, source, op in best[:2] if -s >= threshold]
    return edges


@pytest.mark.parametrize("threshold", [0.0, 0.85, 0.95, 1.0])
def test_a_node_keeps_its_two_strongest_edges_as_far_as_they_reach_the_threshold(threshold, seed):
    check_derived({"threshold": threshold}, kept, seed)


def candidates_kept(table, names, threshold):
    """The edges of a cell by FairDARTS's second rule, in plain Python."""
    edges = []
    wires = [(source, node) for node in range(2, 6) for source in range(node)]
    for row, wire in zip(table.tolist(), wires, strict=True):
        reach = [(-u, c) for c, u in enumerate(row) if u >= threshold and names[c] != "none"]
        edges += [(names[c], *wire) for _, c in sorted(reach)[:2]]
    return edges


@pytest.mark.parametrize("threshold", [0.0, 0.5, 0.85, 1.0])
def test_by_the_second_rule_edges_keep_up_to_two_candidates(threshold, seed):
    check_derived({"threshold": threshold, "threshold_edge": True}, candidates_kept, seed)


def test_cells_tell_how_many_edges_they_keep(supernet):
    for variable in supernet.architecture_variables:
        variable.assign([[3.0, 0.0], [0.0, 0.0]])
    assert methods.get("fair_darts").measures(supernet) == {"edges_normal": 1, "edges_reduce": 1}


def test_a_search_warns_when_no_edge_reached_the_threshold(tmp_path, seed, caplog):
    random = np.random.default_rng(seed)
    data = random.integers(0, 256, (32, 8, 8, 1), np.uint8), np.arange(32) % 2
    config = SearchConfig(
        seed=seed,
        epochs=1,
        batch_size=16,
        layers=3,
        init_channels=2,
        stop_criterion="none",
        space="robust_darts_s2",
        method="fair_darts",
    )
    genotype = search(config, tmp_path, data=data, verbose=0).genotype
    assert not genotype.edges("normal")
    assert not genotype.edges("reduce")
    assert "no edges in normal, reduce" in caplog.text
