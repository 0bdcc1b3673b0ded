"""Replays against histories that anyone can recount, and against plain statements of criteria."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darts_tf import criteria
from darts_tf.runs.history import EpochRecord
from darts_tf.searching.criteria import SkipConnects, never
from darts_tf.searching.criteria.stable_ranking import ranked
from darts_tf.settings import setting
from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.search_space import SearchSpace
from darts_tf.study.stops import first_stop, replay
from tests.contracts import known
from tests.histories import searched
from tests.oracles import criteria as twin
from tests.stopping import history

WHERE = {"normal": ("normal",), "reduce": ("reduce",), "all cells": ("normal", "reduce")}
LEARNABLE = [4, 5, 6, 7]


def stops(records, space=DARTS):
    """The stops of a replay by criterion and reading."""
    found = replay(records, space).stops
    by_reading = {(stop.criterion, stop.reading): stop for stop in found}
    assert len(by_reading) == len(found)
    return by_reading


def test_criterion_1_stops_where_one_can_see_it():
    records = history([0, 1, 2, 1, 3, 4, 1], [0, 0, 0, 2, 0, 0, 0], pools=1)
    found = stops(records)
    ends = {reading: stop.stop_epoch for (name, reading), stop in found.items() if "skip" in name}
    assert ends == {
        "2 skip-connects, normal, every epoch": 2,
        "2 skip-connects, reduce, every epoch": 3,
        "2 skip-connects, all cells, every epoch": 2,
        "3 skip-connects, normal, every epoch": 4,
        "3 skip-connects, reduce, every epoch": None,
        "3 skip-connects, all cells, every epoch": 4,
        "4 skip-connects, normal, every epoch": 5,
        "4 skip-connects, reduce, every epoch": None,
        "4 skip-connects, all cells, every epoch": 5,
        "2 free operations, normal, every epoch": 1,
        "2 free operations, reduce, every epoch": 3,
        "2 free operations, all cells, every epoch": 1,
        "4 free operations, normal, every epoch": 4,
        "4 free operations, reduce, every epoch": None,
        "4 free operations, all cells, every epoch": 4,
        "6 free operations, normal, every epoch": None,
        "6 free operations, reduce, every epoch": None,
        "6 free operations, all cells, every epoch": None,
    }
    row = found["skip_connects", "3 skip-connects, normal, every epoch"]
    assert (row.genotype_epoch, row.valid_accuracy) == (4, 0.04)
    assert row.skip_connects == {"normal": 3, "reduce": 0}
    assert row.free == {"normal": 4, "reduce": 1}


def test_what_is_never_met_and_none_have_the_last_epoch():
    found = stops(history([0, 1, 1], [0, 0, 1]))
    for row in (
        found["skip_connects", "2 skip-connects, normal, every epoch"],
        found["none", "the last epoch"],
    ):
        assert (row.stop_epoch, row.genotype_epoch, row.valid_accuracy) == (None, 2, 0.02)
        assert row.skip_connects == row.free == {"normal": 1, "reduce": 1}


def test_noise_counts_or_does_not():
    known = [{}, {}, {"reduce": 2}, {"reduce": 2, "normal": 3}]
    found = stops(history([2, 2, 2, 2], [0, 0, 0, 0], counts_from=known))
    ends = [
        found["skip_connects", f"2 skip-connects, {words}"].stop_epoch
        for words in ("normal", "all cells", "normal, every epoch")
    ]
    assert ends == [3, 3, 0]


def test_a_line_says_what_records_do_not_suffice_for():
    skips, ranking, curvature = replay(history([0, 2]), DARTS).left_out
    assert skips.startswith("skip_connects: 18 of 36 readings left out: expected epochs that say")
    assert ranking.startswith("stable_ranking: all readings left out: expected epochs with alphas")
    assert curvature == (
        "curvature: its reading left out: expected epochs with curvature measured, got none"
    )


def test_a_space_in_which_a_criterion_says_nothing_is_told():
    one = SearchSpace(("none", "skip_connect", "sep_conv_3x3"), 2, 2, ("sep_conv_3x3",))
    [_, line, _] = replay(history([0, 2]), one).left_out
    assert line.startswith("stable_ranking: all readings left out: ")
    assert "two or more learnable candidates" in line


def test_without_an_epoch_there_is_nothing_to_tell():
    found = replay([], DARTS)
    assert found.stops == found.left_out == ()
    assert first_stop(SkipConnects(), []) is None


def test_marks_are_shared_by_the_readings_of_an_epoch():
    marks = replay(history([0, 2, 4]), DARTS, [SkipConnects(), never]).by_epoch()
    assert list(marks) == [1, 2, None]
    assert marks[1] == {
        "skip_connects": [
            "2 skip-connects, normal, every epoch",
            "2 skip-connects, all cells, every epoch",
            "2 free operations, normal, every epoch",
            "2 free operations, all cells, every epoch",
        ]
    }
    assert marks[None]["none"] == ["the last epoch"]


@dataclass(frozen=True)
class Best(criteria.Criterion):
    """Stops some epochs after the best one, and returns that."""

    name: ClassVar[str] = "best"
    patience: int = setting(2, "Epochs after the best one.", low=1)

    def returned_epoch(self, records):
        return max(records, key=lambda record: record.valid_accuracy).epoch

    def __call__(self, records):
        waited = records[-1].epoch - self.returned_epoch(records)
        return "waited" if waited >= self.patience else None


def test_a_criterion_of_ones_own_takes_part_and_may_return_an_earlier_epoch():
    accuracies = [0.1, 0.4, 0.3, 0.2, 0.9]
    records = [
        EpochRecord(epoch, {}, {"normal": 0, "reduce": 0}, {}, valid_accuracy=value)
        for epoch, value in enumerate(accuracies)
    ]
    with known(criteria, Best):
        row = stops(records)["best", "patience=2"]
    assert (row.stop_epoch, row.genotype_epoch, row.valid_accuracy) == (3, 1, 0.4)
    assert row.free == {}


def test_a_function_is_replayed_too():
    found = first_stop(lambda records: "two" if len(records) == 2 else None, history([0, 0, 0]))
    assert (found.epoch, found.returned.epoch) == (1, 1)


def learned(records: Sequence[EpochRecord], still: int) -> list[int]:
    """The epochs after which a search may stop: those that move alphas."""
    return [record.epoch for record in records if record.epoch >= still]


def criterion_1(records, at, cells, counts: Callable[[int, str], bool], still):
    """The first epoch with `at` skip-connects in a cell that counts."""
    for epoch in learned(records, still):
        skips = records[epoch].skip_connects
        if any(skips[cell] >= at and counts(epoch, cell) for cell in cells):
            return epoch
    return None


def criterion_1_star(records, epochs, ranks, cells, counts: Callable[[int, str], bool], still):
    """The first epoch that ends `epochs` in which no ranking of a cell that counts has changed."""
    for epoch in learned(records, still):
        window = range(epoch - epochs, epoch + 1)
        if window[0] < still or not all(counts(e, cell) for e in window for cell in cells):
            continue
        orders = [
            [
                sorted(LEARNABLE, key=lambda column, row=row: (-row[column], column))[:ranks]
                for cell in cells
                for row in records[e].alphas[cell]
            ]
            for e in window
        ]
        if all(order == orders[0] for order in orders):
            return epoch
    return None


@st.composite
def histories(draw):
    """Records of alphas that stand still at first, then tremble, and the epochs that they do."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    epochs, still = draw(st.integers(1, 24)), draw(st.sampled_from([0, 0, 2, 5]))
    changes = draw(st.sampled_from([0.0, 0.1, 0.4]))
    begins = {cell: int(rng.integers(0, 12)) for cell in WHERE["all cells"]}
    tables = {cell: rng.integers(0, 4, (14, 8)).astype(float) for cell in begins}
    records = []
    for epoch in range(epochs):
        for cell, table in tables.items():
            if epoch >= still:
                tables[cell] = table = table.copy()
                table[:, 0] += 1.0  # `none`, which nobody ranks, always moves
                if rng.random() < changes:
                    table[rng.integers(14), rng.integers(4, 8)] = rng.integers(0, 4)
        records.append(
            EpochRecord(
                epoch=epoch,
                alphas={cell: tuple(map(tuple, t.tolist())) for cell, t in tables.items()},
                skip_connects={cell: int(rng.integers(0, 4)) for cell in tables},
                stable_epochs=dict.fromkeys(tables, (99,) * 14),  # counted anew
                counts_from={cell: n for cell, n in begins.items() if n <= epoch},
            )
        )
    return records, min(still, epochs)


@given(histories())
def test_a_replay_is_the_criterion_asked_epoch_by_epoch(drawn):
    records, still = drawn
    if len(records) == 1:
        still = 0  # nothing tells whether a single epoch moved
    found = {key: stop.stop_epoch for key, stop in stops(records).items()}
    rules = {
        "": lambda epoch, cell: cell in records[epoch].counts_from,
        ", every epoch": lambda epoch, cell: True,
    }
    expected = {("none", "the last epoch"): None}
    for where, cells in WHERE.items():
        for rule, counts in rules.items():
            for at in (2, 3, 4):
                name = f"{at} skip-connects, {where}{rule}"
                end = criterion_1(records, at, cells, counts, still)
                expected["skip_connects", name] = end
            for epochs in (5, 10):
                for words, ranks in (("all ranks", 4), ("best only", 1)):
                    name = f"{epochs} epochs, {words}, {where}{rule}"
                    end = criterion_1_star(records, epochs, ranks, cells, counts, still)
                    expected["stable_ranking", name] = end
    assert found == expected


@pytest.mark.parametrize("ranks", [1, 4])
def test_rankings_counted_anew_are_those_of_the_search(ranks, tmp_path, seed):
    lines = searched(tmp_path / "run", seed, 15).read_history()
    records = [EpochRecord.from_dict(line) for line in lines]
    anew = ranked(records, DARTS, ranks)
    again = ranked(anew, DARTS)
    assert [record.stable_epochs for record in again] == [r.stable_epochs for r in records]
    for few, every in zip(anew, records, strict=True):
        for cell, counts in few.stable_epochs.items():
            pairs = zip(counts, every.stable_epochs[cell], strict=True)
            assert all(held >= least for held, least in pairs)


def test_an_edge_that_is_decided_holds_no_ranking_back(seed):
    rng = np.random.default_rng(seed)
    records = []
    for epoch in range(8):
        table = np.tile(np.arange(8.0), (14, 1))
        table[:, 0] = epoch
        table[3, 4:] = rng.permutation(4)  # an edge whose candidates have left but one
        strengths = np.full((14, 8), 0.125)
        strengths[3] = np.eye(8)[5]
        both = dict.fromkeys(DARTS.cells, tuple(map(tuple, table.tolist())))
        kept = dict.fromkeys(DARTS.cells, tuple(map(tuple, strengths.tolist())))
        counts = dict.fromkeys(DARTS.cells, 0)
        records.append(EpochRecord(epoch, both, counts, {}, strengths=kept))
    found = stops(records)
    assert found["stable_ranking", "5 epochs, all ranks, normal, every epoch"].stop_epoch == 5


def test_tables_of_another_space_are_told():
    records = [
        EpochRecord(n, dict.fromkeys(DARTS.cells, ((n, 1.0),) * 3), {"normal": 0, "reduce": 0}, {})
        for n in range(2)
    ]
    lines = replay(records, DARTS).left_out
    assert any("expected tables of the space 'darts' to rank" in line for line in lines)


def test_the_curvature_stops_where_its_plain_twin_does(seed):
    rng = np.random.default_rng(seed)
    seen = set()
    for _ in range(30):
        values = np.exp(np.cumsum(rng.normal(0.01, 0.12, 25)))
        measures = [{"curvature": float(values[e // 2])} if e % 2 == 0 else {} for e in range(50)]
        records = history([0] * 50, measures=measures)
        row = stops(records)["curvature", "growth above 1.3"]
        wanted = twin.curvature_stop([(2 * n, value) for n, value in enumerate(values)])
        seen.add(wanted)
        ends = None if row.stop_epoch is None else (row.stop_epoch, row.genotype_epoch)
        assert ends == wanted
    assert len(seen) > 3


def test_alphas_that_never_learn_end_no_search(tmp_path, seed):
    lines = searched(tmp_path / "run", seed, 1).read_history()
    [record] = [EpochRecord.from_dict(line) for line in lines]
    copies = [
        EpochRecord(epoch, record.alphas, {"normal": 4, "reduce": 4}, record.stable_epochs)
        for epoch in range(12)
    ]
    assert {stop.stop_epoch for stop in replay(copies, DARTS).stops} == {None}
