"""Replays as tables: every cell of the CSV file is that of the replay."""

from __future__ import annotations

import csv
import io

from darts_tf.spaces.darts import DARTS
from darts_tf.study.recorded import RecordedSearch, read_search
from darts_tf.study.table import as_csv, as_text
from tests.histories import searched, searched_in
from tests.other_space import ladder
from tests.stopping import history

COLUMNS = [
    "run",
    "criterion",
    "reading",
    "stop_epoch",
    "genotype_epoch",
    "skip_connects_normal",
    "skip_connects_reduce",
    "free_normal",
    "free_reduce",
    "valid_accuracy",
]


def rows(*searches):
    text = as_csv([(search, search.replay()) for search in searches])
    reader = csv.DictReader(io.StringIO(text))
    return reader.fieldnames, list(reader)


def test_the_csv_file_has_the_numbers_of_the_replay(tmp_path, seed):
    search = read_search(searched(tmp_path / "a", seed, 15).path)
    names, found = rows(search)
    assert names == COLUMNS
    for row, stop in zip(found, search.replay().stops, strict=True):
        assert row["run"] == str(tmp_path / "a")
        assert (row["criterion"], row["reading"]) == (stop.criterion, stop.reading)
        assert row["stop_epoch"] == ("" if stop.stop_epoch is None else str(stop.stop_epoch))
        assert int(row["genotype_epoch"]) == stop.genotype_epoch
        for cell in ("normal", "reduce"):
            assert int(row[f"skip_connects_{cell}"]) == stop.skip_connects[cell]
            assert int(row[f"free_{cell}"]) == stop.free[cell]
        assert abs(float(row["valid_accuracy"]) - stop.valid_accuracy) < 1e-6


def test_other_cells_have_columns_of_their_own_and_leave_those_of_others_empty(tmp_path, seed):
    darts = read_search(searched(tmp_path / "a", seed, 2).path)
    other = read_search(searched_in(ladder(), tmp_path / "b", seed, 2).path)
    names, found = rows(darts, other)
    assert names[5:11] == [
        *("skip_connects_normal", "skip_connects_reduce", "skip_connects_rung"),
        *("free_normal", "free_reduce", "free_rung"),
    ]
    last = found[-1]
    assert last["run"].endswith("b")
    assert last["free_normal"] == last["valid_accuracy"] == ""
    assert last["free_rung"]
    assert found[0]["free_rung"] == ""


def test_a_search_on_a_text_adds_a_column_of_perplexities():
    values = [90.5, 80.25, 70.125]
    text = history([0, 1, 2], measures=[{"valid_perplexity": value} for value in values])
    images = history([0, 1, 2])
    names, found = rows(
        *(
            RecordedSearch(name, each, DARTS)
            for name, each in zip("ab", (text, images), strict=True)
        )
    )
    assert names == [*COLUMNS, "valid_perplexity"]
    for row in found:
        right = values[int(row["genotype_epoch"])] if row["run"] == "a" else None
        assert row["valid_perplexity"] == ("" if right is None else f"{right:g}")


def test_the_columns_of_the_terminal_stand_below_one_another():
    search = RecordedSearch("runs/a", tuple(history([0, 2, 4], pools=1)), DARTS)
    title, _, above, head, *lines = as_text(search, search.replay()).splitlines()
    assert title == "runs/a: 3 epochs, the last one 2"
    table = lines[: lines.index("")]
    left_out = lines[len(table) + 1 :]
    assert above.split() == ["skips", "skips", "free", "free"]
    assert {len(line) for line in [head, *table]} == {len(head)}
    words = "skip_connects  2 skip-connects, normal, every epoch "
    [line] = [line for line in table if line.startswith(words)]
    assert line[len(words) :].split() == ["1", "1", "2", "0", "3", "1", "1.0", "%"]
    column = head.index("stop") + len("stop")
    assert {line[:column].split()[-1] for line in table} == {"1", "2", "never"}
    assert left_out[0].startswith("skip_connects: 18 of 36 readings left out: ")
    assert len(head) < 120
