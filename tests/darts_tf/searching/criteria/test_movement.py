"""Criteria count once the alphas have moved clearly beyond their initial noise."""

import json

import numpy as np
import pytest

from darts_tf import spaces
from darts_tf.errors import UserError
from darts_tf.runs.history import EpochRecord
from darts_tf.searching.criteria import SkipConnects, StableRanking, movement, state
from darts_tf.searching.criteria.movement import noise_of, spread
from darts_tf.searching.stop_search import StopSearch
from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.search_space import SearchSpace
from darts_tf.spaces.space import Edge
from tests.oracles import criteria as twin

SKIP = DARTS.candidates.index("skip_connect")
SHAPE = (14, 8)
STARTS = {
    "darts": (lambda rng: 1e-3 * rng.standard_normal(SHAPE), 1e-3),
    "zeros": (lambda rng: np.zeros(SHAPE), 0.0),
    "ones": (lambda rng: np.ones(SHAPE), 0.0),
    "snas": (lambda rng: 1 + 1e-2 * rng.standard_normal(SHAPE), 1e-2),
}


class Model:
    """A model whose alphas a test moves."""

    built = True
    stop_training = False
    name = "mine"

    def __init__(self, tables, noise=None):
        self.tables = tables
        if noise is not None:
            self.initial_noise = lambda: dict.fromkeys(tables, noise)

    def architecture_parameters(self):
        return self.tables


def start_of(kind, rng):
    """Start tables that meet Criterion 1 by themselves where they have noise."""
    make, noise = STARTS[kind]
    while True:
        tables = {cell: make(rng) for cell in ("normal", "reduce")}
        if not noise or twin.skip_connects(tables["normal"]) >= 2:
            return tables, noise


def skips_by(tables, step):
    """The tables after the skip-connects have risen by a step in each row."""
    moved = {cell: table.copy() for cell, table in tables.items()}
    for table in moved.values():
        table[:, SKIP] += step
    return moved


def trained(stop, model, histories):
    stop.set_model(model)
    stop.on_train_begin()
    for epoch, tables in enumerate(histories):
        model.tables = tables
        stop.on_epoch_end(epoch)
        if stop.reason:
            return epoch
    return None


def test_spread_is_the_standard_deviation_of_noise_whatever_an_edge_has_in_common(seed):
    rng = np.random.default_rng(seed)
    table = 0.3 * rng.standard_normal((14, 8))
    squares = [np.var(row, ddof=1) for row in table]
    common = rng.standard_normal((14, 1))
    assert spread(table + common, DARTS, "normal") == pytest.approx(np.sqrt(np.mean(squares)))
    assert spread(common + np.zeros((14, 8)), DARTS) == pytest.approx(0, abs=1e-12)


def test_columns_beyond_an_edges_candidates_are_not_read():
    class Ragged(SearchSpace):
        def edges(self, cell):
            return (Edge(0, 2, ("skip_connect", "sep_conv_3x3")), Edge(1, 2, ("skip_connect",)))

    space = Ragged(("skip_connect", "sep_conv_3x3"), nodes=1)
    assert spread(np.array([[1.0, 3.0], [0.0, 99.0]]), space, "normal") == pytest.approx(2**0.5)
    assert spread(np.array([[1.0, 3.0]]), SearchSpace(("none", "skip_connect")), "x") > 0


@pytest.mark.parametrize("kind", STARTS)
def test_the_noise_of_a_start_is_measured(kind, seed):
    tables, noise = start_of(kind, np.random.default_rng(seed))
    for value in noise_of(tables, DARTS).values():
        assert value == pytest.approx(noise, rel=0.35)
    made = {"normal": np.eye(14, 8)}  # differences that were meant
    assert noise_of(made, DARTS) == {"normal": 0.0}


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize("kind", ["darts", "snas"])
def test_criterion_1_waits_for_alphas_that_moved(kind, declared, seed):
    tables, noise = start_of(kind, np.random.default_rng(seed))
    per_step = np.sqrt(7 / 56)  # spread of a table with one column raised by 1
    steps = [0, 0, 0.5 * noise / per_step, 9 * noise / per_step]
    stop = StopSearch(SkipConnects())
    model = Model(tables, noise if declared else None)
    assert trained(stop, model, [skips_by(tables, step) for step in steps]) == 3
    assert [record.counts_from for record in stop.records[:3]] == [{}] * 3
    assert stop.records[3].counts_from == {"normal": 3, "reduce": 3}
    assert stop.records[2].moved["normal"] == pytest.approx(0.5 * noise)
    assert "of 3x noise" in state(stop.criterion, stop.records[:3])
    assert state(stop.criterion, stop.records).endswith("counts from now")
    assert "times their initial noise" in movement(stop.records[3])
    assert movement(stop.records[2]).endswith("chance")


@pytest.mark.parametrize("kind", ["zeros", "ones"])
def test_a_start_without_noise_counts_with_the_first_step(kind, seed):
    tables, _ = start_of(kind, np.random.default_rng(seed))
    stop = StopSearch(SkipConnects())
    assert trained(stop, Model(tables), [skips_by(tables, 1e-3)]) == 0
    assert movement(stop.records[0]).endswith("from a start without noise")


def test_alphas_that_start_late_count_once_they_have_moved(seed):
    tables, noise = start_of("darts", np.random.default_rng(seed))
    steps = [0, 0, 0, 1e-3, 0.5]
    stop = StopSearch(SkipConnects(), first_epoch=2)
    assert trained(stop, Model(tables, noise), [skips_by(tables, s) for s in steps]) == 4


@pytest.mark.parametrize("criterion", [SkipConnects(min_epochs=2), StableRanking(1, min_epochs=2)])
def test_min_epochs_overrides(criterion, seed):
    tables, noise = start_of("darts", np.random.default_rng(seed))
    stop = StopSearch(criterion)
    assert trained(stop, Model(tables, noise), [tables] * 5) == 1
    assert movement(stop.records[-1]).endswith("0.0 times their initial noise: chance")


def test_a_ranking_holds_from_the_epoch_on_that_counts(seed):
    tables, noise = start_of("darts", np.random.default_rng(seed))
    steps = [0, 0, 0, 0, 1, 1, 1, 1, 1]
    stop = StopSearch(StableRanking(epochs=3))
    assert trained(stop, Model(tables, noise), [skips_by(tables, s) for s in steps]) == 7
    assert min(stop.records[-1].stable_epochs["normal"]) == 7  # as it was, for every reader


def test_a_history_gives_the_same_stop_as_the_callback(seed):
    rng = np.random.default_rng(seed)
    tables, noise = start_of("darts", rng)
    for criterion in (SkipConnects(), StableRanking(2)):
        stop = StopSearch(criterion)
        histories = [skips_by(tables, step) for step in np.linspace(0, 0.02, 12)]
        end = trained(stop, Model(tables, noise), histories)
        lines = [json.loads(json.dumps(record.to_dict())) for record in stop.records]
        records = [EpochRecord.from_dict(line) for line in lines]
        reasons = [criterion(records[: epoch + 1]) is not None for epoch in range(len(records))]
        assert reasons.index(True) == end
        resumed = StopSearch(criterion)
        resumed.begin(records[:2], tables)
        resumed.set_model(model := Model(histories[1], noise))
        resumed.on_train_begin()
        for epoch in range(2, end + 1):
            model.tables = histories[epoch]
            resumed.on_epoch_end(epoch)
        assert resumed.records == stop.records


def test_records_of_earlier_releases_count_in_every_epoch(seed):
    tables, noise = start_of("darts", np.random.default_rng(seed))
    old = EpochRecord(0, {"normal": ()}, {"normal": 2}, {"normal": (0,) * 14})
    assert SkipConnects()([old])
    assert movement(old) == ""
    stop = StopSearch(SkipConnects(at=9))
    trained(stop, Model(tables, noise), [tables])
    known = stop.records[0].to_dict()
    for name in ("moved", "noise", "counts_from"):
        del known[name]
    resumed = StopSearch(SkipConnects())
    resumed.begin([EpochRecord.from_dict(known)], tables)
    resumed.set_model(model := Model(tables, noise))
    resumed.on_train_begin()
    assert model.stop_training  # as the release that wrote it decided


def test_a_callback_serves_two_trainings_as_one_each(seed):
    tables, noise = start_of("darts", np.random.default_rng(seed))
    histories = [tables, skips_by(tables, 0.1), skips_by(tables, 0.2)]
    stop = StopSearch(SkipConnects())
    assert trained(stop, Model(tables, noise), histories) == 1
    first = list(stop.records), stop.reason
    assert trained(stop, Model(tables, noise), histories) == 1
    assert (stop.records, stop.reason) == first


class Without:
    name = "plain"
    stop_training = False
    layers = ()


@pytest.mark.parametrize(
    ("model", "what"),
    [
        (Without(), "expected a model with a method .* without one"),
        (Model([]), "expected tables by name"),
        (Model({"normal": [[1.0], [1.0, 2.0]]}), "equally long rows"),
        (Model({"normal": np.full((14, 8), np.nan)}), "finite numbers"),
        (Model({"mine": np.zeros((3, 5))}), "expected tables of the space 'darts'"),
    ],
)
def test_a_model_that_lacks_something_is_refused_at_the_start(model, what):
    stop = StopSearch()
    stop.set_model(model)
    with pytest.raises(UserError, match=f"StopSearch: .*{what}"):
        stop.on_train_begin()


def test_cells_that_the_model_lacks_are_told_at_the_start():
    stop = StopSearch(SkipConnects(cells=("normal_7",)))
    stop.set_model(Model({"normal": np.zeros(SHAPE), "reduce": np.zeros(SHAPE)}))
    with pytest.raises(UserError, match=r"tables of the cells normal_7, .* got normal, reduce"):
        stop.on_train_begin()


ONE = SearchSpace(("none", "skip_connect", "sep_conv_3x3"), 2, 2, ("sep_conv_3x3",))


def test_a_ranking_of_one_place_is_refused_in_a_search_and_in_a_callback_alike():
    with pytest.raises(UserError, match="two or more learnable candidates"):
        StableRanking().check(ONE)

    # Two learnable candidates on the edges of reduction cells only.
    names = ("skip_connect", "sep_conv_3x3", "sep_conv_5x5")
    half = DARTS.narrowed({"normal": (names[:2],) * 14, "reduce": (names,) * 14})
    with pytest.raises(UserError, match="two or more learnable candidates"):
        StableRanking().check(half)
    StableRanking(cells=("reduce",)).check(half)
    stop = StopSearch(StableRanking(1), ONE)
    stop.set_model(Model({cell: np.zeros((5, 3)) for cell in ONE.cells}))
    with pytest.raises(UserError, match=r"tables of the cells .*one place and never changes"):
        stop.on_train_begin()
    # Tables of any names: the identity is not learnable.
    chain = SearchSpace(("identity", "linear"), learnable=("linear",))
    stop = StopSearch(StableRanking(3), chain)
    stop.set_model(Model({"chain": np.zeros((4, 2))}))
    with pytest.raises(UserError, match="tables of the cells chain, where each ranking has one"):
        stop.on_train_begin()


def test_the_spaces_that_come_along_are_checked_alike():
    for name in spaces.names():
        space = spaces.get(name)
        learnable = [
            sum(map(space.is_learnable, edge.candidates))
            for cell in space.cells
            for edge in space.edges(cell)
        ]
        if max(learnable) < 2:
            with pytest.raises(UserError):
                StableRanking().check(space)
