"""DARTS-PT: when it decides, what it keeps, and the edge weights that follow."""

import numpy as np
import pytest

from darts_tf import methods, spaces
from darts_tf.config import SearchConfig
from darts_tf.engine.loop import Mean
from darts_tf.errors import UserError
from darts_tf.searching.plugs import choose
from darts_tf.spaces.narrowing import without_none
from darts_tf.spaces.search_space import SearchSpace
from darts_tf.supernet.relaxations.projected import Projected
from tests.oracles.criteria import softmax_table

SPACE = SearchSpace(("max_pool_3x3", "skip_connect", "sep_conv_3x3"), nodes=3)


def test_the_second_stage_has_81_epochs_at_one_rate():
    method, config = methods.get("darts_pt"), SearchConfig(epochs=50, arch_start_epoch=9)
    assert method.stage_epochs(config) == (50, 81)
    first, second = (method.stage(n, config, spaces.get("darts"), ()) for n in (0, 1))
    assert (first.arch_start_epoch, second.arch_start_epoch) == (9, 0)
    assert {method.learning_rate(epoch, second, config) for epoch in range(81)} == {0.0025}
    assert method.learning_rate(0, first, config) == config.learning_rate
    assert first.space == second.space == without_none(spaces.get("darts"))
    # By stage all cells decide at once: the search is not longer.
    staged = SearchConfig(epochs=50, share_alphas="stage")
    assert method.stage_epochs(staged) == (50, 81)


def _projected(seed, decides=True):
    relaxation = Projected(SPACE, seed=seed, decides=decides, dtype="float64")
    relaxation.build()
    for alphas in relaxation.alphas.values():
        alphas.assign(np.random.default_rng(seed).normal(size=alphas.shape))
    return type("Net", (), {"relaxation": relaxation})()


def _removed(plain, cell, entries, accuracy):
    """The accuracy without some entries of a cell's table."""
    tables = {name: table.copy() for name, table in plain.items()}
    tables[cell][entries] = 0
    return accuracy(tables)


def _edge_decided(plain, cell, edge, accuracy):
    """Keeps the candidate without which the accuracy is lowest."""
    costs = [_removed(plain, cell, (edge, column), accuracy) for column in range(3)]
    plain[cell][edge] = np.eye(3)[np.argmin(costs)]


def _node_decided(plain, cell, rows, accuracy):
    """Drops the edges without which the accuracy of the whole node is highest, but for two."""
    scores = {edge: _removed(plain, cell, edge, accuracy) for edge in rows}
    while len(scores) > 2:
        weakest = max(scores, key=scores.__getitem__)
        del scores[weakest]
        plain[cell][weakest] = 0


def _check_genotype(genotype, plain):
    """Every edge of it is one that was kept, with the candidate that was kept."""
    for cell, table in plain.items():
        rows = {(edge.source, edge.target): i for i, edge in enumerate(SPACE.edges(cell))}
        for name, source, target in genotype.edges(cell):
            assert table[rows[source, target], SPACE.candidates.index(name)] == 1


def test_decisions_follow_from_what_a_removal_costs(seed):
    """The accuracy is a number drawn for each set of weights; plain NumPy decides the same."""
    net = _projected(seed)
    relaxation, method = net.relaxation, methods.get({"name": "darts_pt", "interval": 2})
    plain = {cell: np.array(softmax_table(a.numpy())) for cell, a in relaxation.alphas.items()}
    nodes = {cell: [[2, 3, 4], [5, 6, 7, 8]] for cell in plain}
    measured = []

    def accuracy(tables):
        entries = np.concatenate([np.ravel(tables[cell]) for cell in ("normal", "reduce")])
        words = np.frombuffer(np.round(entries, 9).tobytes(), np.uint32)
        return float(np.random.default_rng([seed, *words.tolist()]).uniform())

    def validation(*, batches=None, by_batch=False):
        assert (batches, by_batch) == (None, True)
        measured.append(1)
        return Mean(0.0, accuracy({c: w.numpy() for c, w in relaxation.call().items()}))

    def state():
        tables = (relaxation.decided, relaxation.dropped)
        return {cell: np.stack([table[cell].numpy() for table in tables]) for cell in plain}

    for epoch in range(2 * (9 + 2)):
        before = state()
        method.before_training(epoch, 22, net, validation)
        count = len(measured)
        method.before_training(epoch, 22, net, validation)  # as a resumed run does
        assert len(measured) == count
        changed = {cell: np.argwhere(state()[cell] != before[cell]) for cell in plain}
        if epoch % 2:
            assert not any(map(len, changed.values()))
            continue
        for cell, found in changed.items():
            if epoch // 2 < 9:
                [(kind, edge)] = found
                assert kind == 0
                _edge_decided(plain, cell, edge, accuracy)
            else:
                [rows] = [rows for rows in nodes[cell] if set(found[:, 1]) <= set(rows)]
                nodes[cell].remove(rows)
                _node_decided(plain, cell, rows, accuracy)
        for cell, table in plain.items():
            np.testing.assert_allclose(relaxation.call()[cell], table, rtol=1e-12)
            np.testing.assert_allclose(relaxation.strengths()[cell], table, rtol=1e-12)
    assert method.measures(net) == {"undecided_edges": 0}
    _check_genotype(method.derive(relaxation.strengths(), SPACE), plain)


def test_only_undecided_edges_compete_and_the_first_stage_decides_nothing(seed):
    net = _projected(seed)
    net.relaxation.decided["normal"].assign([2, *[-1] * 7, 0])
    net.relaxation.dropped["normal"].assign([0] * 8 + [1])
    kept = net.relaxation.kept()["normal"]
    np.testing.assert_array_equal(kept.sum(1), [1, *[3] * 7, 0])
    assert kept[0, 2]
    methods.get("darts_pt").before_training(0, 50, _projected(seed, decides=False), None)


@pytest.mark.parametrize("name", ["nowhere", "darts"])
def test_a_space_that_its_name_does_not_find_is_refused(name):
    space = SearchSpace(("skip_connect", "sep_conv_3x3"), nodes=2, name=name)
    with pytest.raises(UserError, match=rf"space: expected a registered space .*'{name}'"):
        choose(SearchConfig(method="darts_pt"), space=space)
