"""P-DARTS: its stages, its dropout, and few skip-connects in the derived normal cell."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from darts_tf import methods, spaces
from darts_tf.config import SearchConfig
from darts_tf.engine.optimizers import Adam
from darts_tf.errors import UserError
from darts_tf.runs.history import EpochRecord
from darts_tf.searching.plugs import choose
from darts_tf.searching.stop_search import StopSearch
from darts_tf.spaces.derivation import softmax
from darts_tf.spaces.search_space import SearchSpace
from darts_tf.supernet.model import Supernet

SPACE = spaces.get("darts")
NONE, SKIP = "none", "skip_connect"
EDGES = [(source, node) for node in range(2, 6) for source in range(node)]


def stages(seed, **settings):
    """The three stages, on random alphas, and the record before each."""
    rng, method = np.random.default_rng(seed), methods.get("p_darts")
    config = SearchConfig(**settings)
    found, records = [method.stage(0, config, SPACE, ())], [None]
    for number in (1, 2):
        space = found[-1].space
        tables = {cell: rng.normal(size=space.mask(cell).shape) for cell in space.cells}
        names = {c: tuple(edge.candidates for edge in space.edges(c)) for c in space.cells}
        alphas = {c: tuple(map(tuple, table.tolist())) for c, table in tables.items()}
        record = EpochRecord(number, alphas, {}, {}, kept=names if number > 1 else None)
        found.append(method.stage(number, config, SPACE, [record]))
        records.append((tables, names))
    return found, records


def test_each_stage_is_deeper_and_drops_the_weakest_candidates(seed):
    found, records = stages(seed, epochs=75, layers=5, arch_start_epoch=10)
    assert [stage.layers for stage in found] == [5, 11, 17]
    assert [(stage.epochs, stage.arch_start_epoch) for stage in found] == [(25, 10)] * 3
    for stage, (tables, names), dropped in zip(found[1:], records[1:], (3, 2), strict=True):
        for cell in SPACE.cells:
            for edge, before, row in zip(
                stage.space.edges(cell), names[cell], softmax(tables)[cell], strict=True
            ):
                left = dict(zip(before, row, strict=True))
                for _ in range(dropped):
                    left.pop(min(left, key=left.__getitem__))
                assert edge.candidates == tuple(left)


@given(st.integers(3, 400))
def test_the_stages_share_the_epochs_out(epochs):
    lengths = methods.get("p_darts").stage_epochs(SearchConfig(epochs=epochs))
    assert sum(lengths) == epochs
    assert max(lengths) - min(lengths) <= 1


def test_the_dropout_falls_in_two_ways(seed):
    method = methods.get("p_darts")
    rate = np.random.default_rng(seed).uniform()
    for epoch in range(25):
        line, curve = rate * (25 - epoch - 1) / 25, rate * math.exp(-0.2 * (epoch - 10))
        right = line if epoch < 10 else curve
        assert method.dropout(rate, 10, epoch, 25) == pytest.approx(right, rel=1e-12)


def plain_cell(table, edges, most):
    """The derivation, in steps over dictionaries."""
    pairs = zip(edges, table, strict=True)
    table = [dict(zip(edge.candidates, row, strict=True)) for edge, row in pairs]
    while True:
        best = []
        for edge in table:
            names = [name for name in edge if name != NONE]
            name = max(names, key=edge.__getitem__)
            best.append((name, edge[name]))
        cell, skips = [], []
        for node in range(2, 6):
            rows = [i for i, edge in enumerate(edges) if edge.target == node]
            two = sorted(rows, key=lambda i: best[i][1])[-2:]
            cell.append(tuple((best[i][0], edges[i].source) for i in sorted(two)))
            skips += [i for i in two if best[i][0] == SKIP]
        if len(skips) <= most:
            return tuple(cell)
        table[min(skips, key=lambda i: table[i][SKIP])][SKIP] = 0.0


def test_skip_connects_are_taken_out_one_by_one_in_the_normal_cell_alone(seed):
    rng = np.random.default_rng(seed)
    space = stages(seed)[0][2].space
    more = 0
    for most in (0, 1, 2, 8):
        method = methods.get({"name": "p_darts", "skip_connects": most})
        for _ in range(40):
            tables = {}
            for cell in space.cells:
                skips = [[name == SKIP for name in edge.candidates] for edge in space.edges(cell)]
                tables[cell] = softmax({cell: rng.normal(size=(14, 3)) + 2 * np.array(skips)})[cell]
            genotype = method.derive(tables, space)
            space.check(genotype)
            for cell, limit in (("normal", most), ("reduce", 8)):
                right = plain_cell(tables[cell], space.edges(cell), limit)
                assert genotype.nodes(cell) == right
            free = method.counted(tables, space).skip_connects()
            more += free["normal"] > most
            assert genotype.skip_connects()["normal"] <= min(most, free["normal"])
            assert genotype.skip_connects()["reduce"] == free["reduce"]
    assert more > 20


class Model:
    """A model with an architecture, as a callback sees it."""

    def __init__(self, tables):
        self.tables = tables

    def architecture_parameters(self):
        return self.tables


def test_criterion_1_counts_skip_connects_before_they_are_taken_out():
    method = methods.get("p_darts")
    tables = {cell: np.zeros((14, 8)) for cell in SPACE.cells}
    for table in tables.values():
        table[:, SPACE.candidates.index(SKIP)] = 1.0
    stop = StopSearch(lambda records: None, derivation=method.derive, counted=method.counted)
    stop.set_model(Model(tables))
    stop.on_train_begin()
    stop.on_epoch_end(0)
    assert stop.records[0].skip_connects == {"normal": 8, "reduce": 8}
    assert stop.genotype.skip_connects() == {"normal": 2, "reduce": 8}


def test_a_skip_connect_without_an_alternative_stays():
    space = spaces.get({"name": "darts"}).narrowed({c: [(NONE, SKIP)] * 14 for c in SPACE.cells})
    tables = {cell: np.full((14, 2), 0.5) for cell in space.cells}
    genotype = methods.get("p_darts").derive(tables, space)
    assert genotype.skip_connects() == {"normal": 8, "reduce": 8}


@pytest.mark.parametrize(("cells", "count"), [(5, 1_275_834), (11, 2_585_146), (17, 3_894_202)])
def test_supernets_with_all_candidates_have_their_published_size(cells, count):
    with keras.StatelessScope(initialize_variables=False):  # shapes are enough
        net = Supernet(layers=cells)
        net.build((None, 32, 32, 3))
    assert sum(math.prod(variable.shape) for variable in net.weight_variables) == count


def test_a_supernet_drops_at_the_rate_of_its_epoch_and_its_alphas_are_clipped():
    config = SearchConfig(epochs=75, layers=3, init_channels=2, arch_start_epoch=10, stem="cifar")
    method, space = methods.get("p_darts"), SearchSpace((NONE, SKIP), nodes=1)
    alphas = dict.fromkeys(space.cells, ((0.0, 0.0),) * 2)
    for number, rate in enumerate((0.0, 0.4, 0.7)):
        stage = method.stage(number, config, space, [EpochRecord(0, alphas, {}, {})])
        relaxation = method.stage_relaxation(stage, config)
        relaxation.build()
        weights = relaxation.call(tf.constant([0, 1]))["normal"]
        assert (weights.skip_dropout is None) == (rate == 0)
        assert float(relaxation.dropout.numpy()) == pytest.approx(rate)
    optimizer = method.architecture_optimizer(config, None)
    assert isinstance(optimizer, Adam)
    assert (optimizer.clip, optimizer.l2) == (5.0, 1e-3)


@pytest.mark.parametrize(
    ("settings", "own", "told"),
    [
        ({"epochs": 2}, {}, "epochs: expected at least 3 .*got 2"),
        ({"epochs": 30, "arch_start_epoch": 10}, {}, "arch_start_epoch: .*less than 10.*got 10"),
        ({}, {"keep_1": 2}, r"p_darts_keep_2: expected at most p_darts_keep_1 \(2\).*got 3"),
    ],
)
def test_stages_that_make_no_sense_are_refused(settings, own, told):
    with pytest.raises(UserError, match=told):
        choose(SearchConfig(**settings), method={"name": "p_darts", **own})
