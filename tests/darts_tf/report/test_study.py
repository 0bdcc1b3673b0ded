"""The page of a study: the numbers of its files, with bands, and its cells by epoch."""

from __future__ import annotations

import csv
import json

import pytest

from darts_tf.errors import UserError
from darts_tf.report import study
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.history import read_history
from tests.histories import studied


@pytest.fixture
def run(tmp_path, seed):
    return studied(tmp_path / "run", seed)


def test_the_table_has_a_row_for_each_method_and_rule(run):
    rows = json.loads((run.path / "study.json").read_text())["rows"]
    page = study.page(RunDirectory.open(run.path))
    table = dict(page.sections)["Table"].replace("<wbr>", "")
    assert table.count("<tr>") == 1 + len(rows) == 1 + 2 * 4 + 1
    for row in rows:
        span = row["error_percent"]
        assert f"{span['mean']:.2f} [{span['low']:.2f}, {span['high']:.2f}]" in table


def test_skip_connects_by_epoch_are_means_over_the_searches_with_bands(run):
    [normal, _] = study.page(run).data["charts"]["skips"]
    [series, _] = normal["series"]
    first = min(int(path.name.rpartition("_")[2]) for path in run.path.glob("searches/darts_*"))
    records = [read_history(run.search_of("darts", one)) for one in range(first, first + 3)]
    for epoch, mean in enumerate(series["values"]):
        counts = [history[epoch].skip_connects["normal"] for history in records]
        assert mean == pytest.approx(sum(counts) / 3, abs=1e-6)
        assert series["low"][epoch] <= mean <= series["high"][epoch]


def test_errors_by_epoch_and_cells_side_by_side_are_those_of_the_rules(run):
    page = study.page(run)
    charts = page.data["charts"]["errors"]
    assert [chart["labels"] for chart in charts] == [[2, 6], [2, 6]]
    headings = [heading for heading, _ in page.sections]
    shown = [heading for heading in headings if heading.startswith("Cells after epoch")]
    assert {"Cells after epoch 2", "Cells after epoch 6", "Cells after epoch 11"} <= set(shown)
    assert len(page.data["genotypes"]) == len(shown)


def test_mean_weights_of_a_cell_add_up_to_one(run):
    charts = study.page(run).data["charts"]["means"]
    assert len(charts) == 2 * 2
    for chart in charts:
        sums = [sum(values) for values in zip(*(s["values"] for s in chart["series"]), strict=True)]
        assert sums == pytest.approx([1.0] * 12, abs=1e-4)
    with (run.path / "epochs.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 3 * 2 * 12


def test_under_way_it_shows_the_seeds_that_are_done(tmp_path, seed):
    page = study.page(studied(tmp_path / "run", seed, finished=False))
    assert not page.finished
    assert page.about == "A study on digits, under way: 2 of 3 seeds."


def test_without_a_search_it_has_a_page_too(tmp_path, seed):
    run = studied(tmp_path / "run", seed, searches=1, finished=False)
    assert "The first searches are under way" in study.page(run).html()


def test_a_damaged_table_is_told_in_one_line(run):
    run.outcome.write_text('{"rows": [{"method": "darts"}], "level": 0.95}')
    with pytest.raises(UserError, match="expected the table of a study"):
        study.page(RunDirectory.open(run.path))
