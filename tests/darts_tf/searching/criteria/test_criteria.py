"""The criteria of DARTS+ against their independent twin, over random histories of alphas."""

import json
import re
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from darts_tf import spaces
from darts_tf.config import SearchConfig
from darts_tf.errors import UserError
from darts_tf.runs.history import EpochRecord
from darts_tf.searching import criteria
from darts_tf.searching.criteria import (
    SkipConnects,
    StableRanking,
    count_skip_connects,
    never,
    ranking,
    stable_epochs,
    state,
)
from darts_tf.searching.criteria.criterion import watched_cells
from darts_tf.searching.criteria.stable_ranking import as_table
from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.derivation import derive, softmax
from darts_tf.spaces.genotype import CELLS, STAGED_CELLS
from darts_tf.spaces.search_space import SearchSpace
from darts_tf.spaces.space import Edge, Space
from tests.oracles import criteria as twin

SKIP = DARTS.candidates.index("skip_connect")
WHICH_CELLS = st.sampled_from([("normal",), ("reduce",), ("normal", "reduce")])
MIN_EPOCHS = st.integers(0, 15)
RANKS = st.integers(1, 4)
GRIDS = (0.5, 1e-6)
CHANGES = (0.0, 0.02, 0.1, 0.3, 1.0)
NOISE = (0.0, 0.1, 1.0)


def wander(rng, epochs, grid, changes, noise, cells=CELLS):
    """Tables of alphas, epoch by epoch, whose rankings hold for long and whose skips come and go.

    The learnable alphas lie on a grid; on a coarse one they often tie. Now and then one moves, and
    in between they only tremble, less and less. The skip-connects of an edge rise and fall in long
    waves. No two edges tie by accident: `none` differs on each.
    """
    shape = (len(cells), len(DARTS.edges("normal")))
    base = rng.normal(size=(*shape, len(DARTS.candidates)))
    columns = list(DARTS.learnable_columns)
    base[..., columns] = grid * np.round(base[..., columns] / grid)
    base[:, 4] = base[:, 2]  # two edges into one node, equal in all that they hold
    phase, period = rng.uniform(0, 6, shape), rng.uniform(5, 30)
    history = []
    for epoch in range(epochs):
        if rng.random() < changes:
            edge = (rng.integers(shape[0]), rng.integers(shape[1]))
            base[(*edge, rng.choice(columns))] = grid * np.round(rng.normal() / grid)
        now = base + noise * 0.8**epoch * rng.uniform(-1, 1, base.shape)
        now[..., SKIP] += 1.5 * (np.sin(phase + epoch / period) - 0.5)
        history.append(dict(zip(cells, now, strict=True)))
    return history


HISTORIES = st.builds(
    wander,
    rng=st.integers(0, 2**32 - 1).map(np.random.default_rng),
    epochs=st.integers(0, 30),
    grid=st.sampled_from(GRIDS),
    changes=st.sampled_from(CHANGES),
    noise=st.sampled_from(NOISE),
)


STAGED = st.builds(
    partial(wander, cells=STAGED_CELLS),
    rng=st.integers(0, 2**32 - 1).map(np.random.default_rng),
    epochs=st.integers(0, 20),
    grid=st.sampled_from(GRIDS),
    changes=st.sampled_from(CHANGES[:3]),
    noise=st.sampled_from(NOISE),
)
NORMAL_CELLS = tuple(cell for cell in STAGED_CELLS if "normal" in cell)


def record(previous, epoch, alphas, ranks=None):
    genotype = derive(softmax(alphas), DARTS)
    return EpochRecord(
        epoch=epoch,
        alphas={cell: tuple(map(tuple, table.tolist())) for cell, table in alphas.items()},
        skip_connects=genotype.skip_connects(),
        stable_epochs=stable_epochs(previous, alphas, DARTS, ranks),
        genotype=genotype,
    )


def recorded(history, ranks=None):
    records = []
    for epoch, alphas in enumerate(history):
        records.append(record(records[-1] if records else None, epoch, alphas, ranks))
    return records


def leaders(row, ranks):
    """The names of the leading learnable candidates of an edge; sorting keeps the order of ties."""
    names = sorted(DARTS.learnable, key=lambda name: -row[DARTS.candidates.index(name)])
    return names[:ranks]


def stop(criterion, records):
    """The epoch at which a search with these records ends, or None."""
    epochs = (epoch for epoch in range(len(records)) if criterion(records[: epoch + 1]))
    return next(epochs, None)


@given(HISTORIES, st.integers(1, 4), WHICH_CELLS, MIN_EPOCHS)
def test_criterion_1_stops_at_its_twins_epoch(history, at, cells, min_epochs):
    found = stop(SkipConnects(at, cells, min_epochs), recorded(history))
    assert found == twin.criterion_1(history, cells, at, min_epochs)


@given(HISTORIES, st.integers(1, 12), WHICH_CELLS, RANKS, MIN_EPOCHS)
def test_criterion_1_star_stops_at_its_twins_epoch(history, epochs, cells, ranks, min_epochs):
    found = stop(StableRanking(epochs, cells, min_epochs), recorded(history, ranks))
    assert found == twin.criterion_1_star(history, cells, epochs, ranks, min_epochs)


@given(STAGED, st.sampled_from([NORMAL_CELLS, STAGED_CELLS]))
def test_by_stage_the_criteria_stop_at_their_twins_epochs(history, cells):
    records = recorded(history)
    assert stop(SkipConnects(4, cells), records) == twin.criterion_1(history, cells, 4)
    assert stop(StableRanking(3, cells), records) == twin.criterion_1_star(history, cells, 3)


def test_histories_end_early_late_and_not_at_all(seed):
    rng = np.random.default_rng(seed)
    histories = [wander(rng, 25, *map(rng.choice, (GRIDS, CHANGES, NOISE))) for _ in range(80)]
    records = [recorded(history, ranks=1) for history in histories]
    for criterion, earliest in ((SkipConnects(2), 0), (StableRanking(6), 6)):
        stops = {stop(criterion, one) for one in records}
        assert {None, earliest} < stops
        assert len(stops) > 5


@given(HISTORIES, RANKS)
def test_the_count_of_an_edge_is_how_far_back_its_ranking_reaches(history, ranks):
    records = recorded(history, ranks)
    for cell in CELLS:
        for edge in range(len(DARTS.edges("normal"))):
            orders = [leaders(alphas[cell][edge], ranks) for alphas in history]
            for epoch, record in enumerate(records):
                before = orders[epoch::-1]
                changed = (i for i, order in enumerate(before) if order != orders[epoch])
                assert record.stable_epochs[cell][edge] == next(changed, len(before)) - 1


@given(HISTORIES, RANKS, st.data())
def test_records_cut_anywhere_and_read_from_json_go_on_as_if_uncut(history, ranks, data):
    whole = recorded(history, ranks)
    cut = data.draw(st.integers(0, len(whole)))
    lines = [json.dumps(one.to_dict()) for one in whole[:cut]]
    resumed = [EpochRecord.from_dict(json.loads(line)) for line in lines]
    for epoch in range(cut, len(history)):
        previous = resumed[-1] if resumed else None
        resumed.append(record(previous, epoch, history[epoch], ranks))
    assert resumed == whole


@given(HISTORIES)
def test_a_criterion_reads_its_records_and_changes_nothing(history):
    records = recorded(history)
    before = repr(records)
    for criterion in (SkipConnects(), StableRanking(2), never):
        assert [criterion(records), criterion(records)] == [criterion(tuple(records))] * 2
    assert repr(records) == before


def calm(skips=0, counts=(0,) * 14, epochs=1):
    """Records whose last has so many skips and stable epochs in both cells."""
    both = {
        "skip_connects": dict.fromkeys(CELLS, skips),
        "stable_epochs": dict.fromkeys(CELLS, tuple(counts)),
    }
    return [EpochRecord(epoch=epoch, alphas={}, **both) for epoch in range(epochs)]


def test_the_defaults_are_the_papers():
    assert SkipConnects() == SkipConnects(at=2, cells=(), min_epochs=1)
    assert StableRanking() == StableRanking(epochs=10, cells=(), min_epochs=1)
    assert SkipConnects()(calm(skips=1)) is None
    assert SkipConnects()(calm(skips=2)) == "Criterion 1: 2 skip-connects in the normal cell"
    assert StableRanking()(calm(counts=[10] * 13 + [9])) is None
    assert StableRanking()(calm(counts=[12] * 13 + [10])) == (
        "Criterion 1*: ranking stable for 10 epochs"
    )


@pytest.mark.parametrize("kind", [SkipConnects, StableRanking])
def test_by_default_the_normal_cells_count_or_all_where_none_is_normal(kind):
    def reason(**values):
        counts = {cell: (value,) for cell, value in values.items()}
        return kind(3)(
            [EpochRecord(epoch=5, alphas={}, skip_connects=values, stable_epochs=counts)]
        )

    assert reason(normal=0, reduce=9) is None
    assert reason(normal=9, reduce=0) is not None
    assert reason(normal_0=0, reduce_0=9, normal_1=0) is None
    assert (reason(first=0, second=9) is None) == (kind is StableRanking)
    assert reason(first=9, second=9) is not None


@pytest.mark.parametrize("kind", [SkipConnects, StableRanking])
@pytest.mark.parametrize("stop_cells", ["normal", "reduce", "both"])
@pytest.mark.parametrize("space", [DARTS, DARTS.staged()])
def test_the_settings_of_a_search_give_the_criterion_and_take_it(kind, stop_cells, space):
    config = SearchConfig(stop_cells=stop_cells, min_epochs=3, stop_at_skip_connects=4)
    criterion = kind.from_search(config, space)
    recorded_config = criterion.recorded(SearchConfig(), space)
    assert recorded_config.stop_criterion == kind.name
    assert kind.from_search(recorded_config, space) == criterion
    assert criteria.get(criterion.get_config()) == criterion


def test_a_cell_that_the_space_does_not_have_is_refused():
    with pytest.raises(UserError, match="stop_cells: expected both or a cell of the space, chain"):
        watched_cells("reduce", SearchSpaceOfOneCell())
    assert watched_cells("normal", SearchSpaceOfOneCell()) == ("chain",)


class SearchSpaceOfOneCell(Space):
    name = "of_one_cell"
    cells = ("chain",)
    inputs = 1

    def edges(self, cell):
        return (Edge(0, 1, ("skip_connect", "sep_conv_3x3")),)


def test_a_ranking_that_never_changes_stops_no_search():
    with pytest.raises(UserError, match="stable_ranking expects edges with two or more learnable"):
        StableRanking().check(SearchSpaceOfOneCell())
    StableRanking().check(DARTS)


@given(
    arrays(
        float,
        st.tuples(st.integers(1, 6), st.just(3)),
        elements=st.floats(0, 1, allow_subnormal=False),
    )
)
def test_tables_that_make_no_genotype_count_the_edges_whose_best_is_a_skip_connect(table):
    space = SearchSpace(("skip_connect", "none", "deep"))
    expected = sum(row[0] >= row[2] for row in table)
    assert count_skip_connects({"mine": table}, space) == {"mine": expected}


@given(st.integers(0, 2**32 - 1).map(np.random.default_rng))
def test_a_table_of_another_name_with_the_shape_of_a_cell_is_read_as_one(rng):
    table = twin.softmax_table(rng.normal(size=(14, 8)))
    counts = count_skip_connects({"mine": table}, DARTS)
    assert counts == {"mine": sum(name == "skip_connect" for name, _ in twin.derive(table))}


def test_what_the_columns_of_a_table_are_must_be_known():
    with pytest.raises(ValueError, match=r"got .*'mine'"):
        ranking(np.zeros((4, 5)), DARTS, cell="mine")
    with pytest.raises(ValueError, match="equally long rows"):
        as_table([[1.0, 2.0], [1.0]])


def test_the_reason_names_the_cell_that_ended_the_search():
    records = calm(skips=5)
    assert "reduce" in SkipConnects(cells=("reduce",))(records)
    assert "normal" in SkipConnects(cells=("normal", "reduce"))(records)


def test_the_reason_names_the_cell_and_its_stage():
    skips = {cell: 3 * (cell == "normal_2") for cell in STAGED_CELLS}
    records = [EpochRecord(epoch=0, alphas={}, skip_connects=skips, stable_epochs={})]
    reason = SkipConnects(cells=NORMAL_CELLS)(records)
    assert reason == "Criterion 1: 3 skip-connects in the normal_2 cell"
    assert SkipConnects(cells=("normal_0", "normal_1"))(records) is None


@pytest.mark.parametrize("criterion", [SkipConnects, StableRanking])
def test_no_criterion_stops_before_the_first_epoch(criterion):
    assert criterion(min_epochs=0)([]) is None
    assert criterion(min_epochs=3)(calm(9, [99] * 14, epochs=2)) is None
    assert criterion(min_epochs=3)(calm(9, [99] * 14, epochs=3)) is not None


@pytest.mark.parametrize("criterion", [SkipConnects, StableRanking])
def test_cells_that_nobody_counts_are_told(criterion):
    with pytest.raises(ValueError, match=r"cells \['chain'\], got \['normal', 'reduce'\]"):
        criterion(cells=("normal", "chain"))(calm())


def test_never_stops_at_nothing():
    assert never(calm(skips=8, counts=[99] * 14, epochs=60)) is None


def test_equal_alphas_rank_in_candidate_order():
    space = SearchSpace(("a", "skip", "b", "c"), 1, 1, ("c", "b", "a"))
    alphas = np.array([[1, 9, 1, 1], [0, 9, 2, 2]])
    assert ranking(alphas, space).tolist() == [[0, 1, 2], [1, 2, 0]]
    assert ranking(alphas, space, ranks=1).tolist() == [[0], [1]]


def test_only_the_leading_ranks_must_hold():
    tables = [np.array([[0, 0, 0, 0, 4, 3, 2, 1]] * 14), np.array([[0, 0, 0, 0, 4, 3, 1, 2]] * 14)]
    counts = {}
    for ranks in (1, 2, 3, 4, None):
        first = record(None, 0, dict.fromkeys(CELLS, tables[0]), ranks)
        counts[ranks] = stable_epochs(first, {"normal": tables[1]}, DARTS, ranks)["normal"][0]
    assert counts == {1: 1, 2: 1, 3: 0, 4: 0, None: 0}


def test_candidates_that_have_left_are_not_ranked():
    space = SearchSpace(("skip_connect", "a", "b", "c"), 1, 1, ("a", "b", "c"))
    before = EpochRecord(0, {"normal": ((0, 3, 2, 1), (0, 3, 2, 1))}, {}, {"normal": (4, 4)})
    alphas = {"normal": np.array([[0, 3, 1, 2], [0, 1, 2, 3]])}
    for kept, counts in (
        ([[1, 1, 1, 1], [1, 1, 1, 1]], (0, 0)),
        ([[1, 1, 1, 0], [1, 1, 1, 0]], (5, 0)),
        ([[1, 1, 0, 0], [0, 0, 0, 1]], (5, 5)),
        ([[0, 0, 0, 0], [1, 1, 1, 1]], (5, 0)),
    ):
        stays = {"normal": np.array(kept, bool)}
        assert stable_epochs(before, alphas, space, kept=stays)["normal"] == counts


def test_an_edge_that_is_decided_holds_no_other_back():
    space = SearchSpace(("skip_connect", "a", "b"), 1, 1, ("a", "b"))
    before = EpochRecord(9, {"normal": ((0, 2, 1), (0, 2, 1))}, {}, {"normal": (0, 8)})
    alphas = {"normal": np.array([[0, 2, 1], [0, 2, 1]])}
    for kept, counts in (
        ([[1, 1, 1], [1, 1, 1]], (1, 9)),
        ([[0, 1, 0], [1, 1, 1]], (9, 9)),
        ([[1, 1, 1], [0, 0, 0]], (1, 9)),
    ):
        stays = {"normal": np.array(kept, bool)}
        assert stable_epochs(before, alphas, space, kept=stays)["normal"] == counts


@given(HISTORIES, st.integers(0, 8), st.integers(0, 12), WHICH_CELLS, MIN_EPOCHS)
def test_the_words_of_a_criterion_tell_how_far_it_is(history, at, epochs, cells, min_epochs):
    records = recorded(history)
    for count in range(len(records) + 1):
        some = records[:count]
        for criterion in (SkipConnects(at, cells, min_epochs), StableRanking(epochs, cells)):
            words = state(criterion, some)
            if not some:
                assert words == ""
                continue
            how_far = r"(\d+)(?: of | [a-z-]+ \()(\d+)"  # 1 of 2 epochs; 3 epochs (2 are enough)
            found, needed = map(int, re.search(how_far, words).groups())
            met = found >= needed
            assert ("waiting" in words) == (met and criterion(some) is None)
            assert met or criterion(some) is None


def test_the_words_of_a_criterion_are_plain():
    records = calm(skips=1, counts=[7] * 13 + [4])
    assert SkipConnects().state(records) == "1 of 2 skip-connects"
    assert SkipConnects(cells=CELLS).state(records) == "1 of 2 skip-connects in normal"
    assert StableRanking().state(records) == "ranking stable for 4 of 10 epochs"
    assert state(never, records) == ""


def test_one_of_something_is_told_in_the_singular():
    records = calm(skips=1, counts=[1] * 14)
    assert SkipConnects(at=1).state(records) == "1 of 1 skip-connect"
    assert SkipConnects(at=1)(records) == "Criterion 1: 1 skip-connect in the normal cell"
    assert StableRanking(epochs=1).state(records) == "ranking stable for 1 of 1 epoch"
    assert StableRanking(epochs=1)(records) == "Criterion 1*: ranking stable for 1 epoch"
    more = calm(skips=3, counts=[1] * 14)
    assert SkipConnects(at=1).state(more) == "3 skip-connects (1 is enough)"


def test_a_criterion_that_is_met_too_early_says_when_it_may_stop():
    records = [EpochRecord(epoch, {}, {"normal": 3}, {"normal": (12,)}) for epoch in (4, 5)]
    words = ", waiting for epoch 7"
    assert SkipConnects(min_epochs=4).state(records) == f"3 skip-connects (2 are enough){words}"
    assert StableRanking(min_epochs=4).state(records) == (
        f"ranking stable for 12 epochs (10 are enough){words}"
    )
    later = [*records, *(EpochRecord(epoch, {}, {"normal": 3}, {}) for epoch in (6, 7))]
    assert SkipConnects(min_epochs=4)(later[:-1]) is None
    assert SkipConnects(min_epochs=4)(later) is not None


def test_criterion_1_counts_over_the_blocks_of_a_stage():
    space = spaces.get("mobile_small")
    criterion = SkipConnects.from_search(SearchConfig(stop_at_skip_connects=2, layers=6), space)
    assert criterion.groups == (
        ("block_0", "block_1"),
        ("block_2", "block_3"),
        ("block_4", "block_5"),
    )
    apart = dict.fromkeys(space.cells, 0) | {"block_1": 1, "block_2": 1}
    together = apart | {"block_3": 1}
    records = [EpochRecord(epoch, {}, counts, {}) for epoch, counts in enumerate((apart, together))]
    assert criterion(records[:1]) is None
    assert criterion.state(records[:1]) == "1 of 2 skip-connects in block_0 to block_1"
    assert criterion(records) == "Criterion 1: 2 skip-connects in block_2 to block_3"
    early = replace(records[1], counts_from={"block_2": 0}, moved={}, noise={})
    assert criterion([records[0], early]) is None  # block_3 is still noise
    assert criterion.recorded(SearchConfig(), space).stop_cells == "normal"
