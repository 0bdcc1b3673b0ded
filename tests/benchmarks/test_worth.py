"""Baselines, folders of images, and the table of networks beside each other."""

import csv
from pathlib import Path

import numpy as np
import pytest

from darts_tf import data
from tests.trainers.programs import python

pytest.importorskip("benchmarks")  # not in the wheel

from benchmarks import table, worth
from benchmarks.baselines import networks as baselines
from benchmarks.baselines.folders import write_folder
from darts_tf.errors import UserError
from darts_tf.networks.complexity import multiply_adds, parameters

TREE = Path(__file__).parents[2]
ROWS = table.read(TREE / "benchmarks" / "results" / "worth.csv", worth.COLUMNS)


@pytest.mark.parametrize("kind", baselines.FEATURES)
@pytest.mark.parametrize("cost", baselines.COSTS)
def test_a_baseline_is_the_widest_within_its_limit(kind, cost, seed):
    count = baselines.COSTS[cost]
    shape, classes = (12, 12, 3), 4
    width = int(np.random.default_rng(seed).integers(2, 20))
    limit = count(baselines.build(kind, shape, classes, width))
    assert baselines.widest(kind, shape, classes, cost, limit) == width
    assert baselines.widest(kind, shape, classes, cost, limit - 1) == width - 1
    with pytest.raises(UserError, match=f"^limit: expected the {cost} of a {kind} network"):
        baselines.widest(kind, shape, classes, cost, 10)


def test_the_plain_baseline_has_the_costs_of_a_count_by_hand():
    plain = baselines.build("plain", (16, 16, 1), 10, 4)
    convolutions = [(1, 4), (4, 8), (8, 16)]
    weights = sum(9 * one * other + other for one, other in convolutions)
    assert parameters(plain) == weights + 2 * 2 * 16 * 10 + 10
    sizes = (16, 8, 4)
    pairs = zip(sizes, convolutions, strict=True)
    products = sum(side**2 * 9 * one * other for side, (one, other) in pairs)
    assert multiply_adds(plain) == products + 2 * 2 * 16 * 10


def test_a_folder_of_a_data_set_is_read_as_that_data_set(folder):
    digits = data.load("digits", str(folder / "data"))
    write_folder("digits", str(folder / "data"), 50, folder / "images")
    read = data.load(f"image_folder:{folder / 'images'}", image_size=8)
    for part, images in {"train": 50, "test": len(digits.test)}.items():
        written, found = getattr(digits, part).take(slice(0, images)), getattr(read, part)
        kept = [
            sorted((int(label), image.tobytes()) for label, image in zip(*one, strict=True))
            for one in (written.content(), found.content())
        ]
        assert kept[0] == kept[1]


def test_the_summary_has_means_over_seeds():
    values = [
        ("a", "search", "", "0", "", "", "12", "1.50", ""),
        ("a", "plain", "multiply_adds", "0", "1000", "2500000", "5", "1.00", "2.00"),
        ("b", "plain", "multiply_adds", "0", "1000", "2500000", "5", "9.00", "9.00"),
        ("a", "plain", "multiply_adds", "1", "1000", "2500000", "5", "2.00", "4.00"),
    ]
    rows = [dict(zip(worth.COLUMNS, row, strict=True)) for row in values]
    assert [list(row.values()) for row in worth.summary(rows, "a")] == [
        ["search", "", "", "", "12", "1.5", ""],
        ["plain", "multiply-adds", "1,000", "2.5", "5", "1.5", "3.00 ± 1.41"],
    ]


@pytest.mark.long
def test_all_networks_are_trained_and_none_twice(tmp_path):
    words = ("--tiny", "--data", "digits", "--seeds=1", "--runs=runs", "--output=worth.csv")
    first = python("-m", "benchmarks.worth", *words, cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    with (tmp_path / "worth.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    kinds, ours = set(baselines.FEATURES), {worth.FOUND, *worth.CELLS}
    assert [row["network"] for row in rows[:1]] == [worth.SEARCH]
    assert {row["network"] for row in rows[1:]} == kinds | ours
    assert all(0 <= float(row["error_percent"]) <= 100 for row in rows[1:])
    found = next(row for row in rows if row["network"] == worth.FOUND)
    for row in rows:
        if row["network"] in kinds:
            assert int(row[row["limit"]]) <= int(found[row["limit"]])
    again = python("-m", "benchmarks.worth", *words, cwd=tmp_path)
    assert again.stdout.rpartition("digits:")[2] == first.stdout.rpartition("digits:")[2]
    with (tmp_path / "worth.csv").open(newline="") as file:
        assert list(csv.DictReader(file)) == rows


@pytest.mark.parametrize("name", dict.fromkeys(row["data"] for row in ROWS))
def test_the_page_has_the_errors_of_all_seeds(name):
    page = (TREE / "docs" / "worth.md").read_text(encoding="utf-8")
    told = table.markdown(worth.SUMMARY, worth.summary(ROWS, name))
    assert told in page
    errors = {}
    for row in ROWS:
        if row["data"] == name and row["error_percent"]:
            key = row["network"], row["limit"].replace("_", "-")
            errors.setdefault(key, []).append(float(row["error_percent"]))
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in told.splitlines()[2:]]
    shown = {(network, limit): cells[-1] for network, limit, *cells in lines if cells[-1]}
    assert set(shown) == set(errors)
    for key, values in errors.items():
        assert len(values) == 3
        assert shown[key] == f"{np.mean(values):.2f} ± {np.std(values, ddof=1):.2f}"


def test_the_readme_has_rows_of_the_page():
    readme, page = (
        (TREE / name).read_text(encoding="utf-8") for name in ("README.md", "docs/worth.md")
    )
    _, _, section = readme.partition("## Is a search worth it?")
    lines = [line for line in section.partition("\n## ")[0].splitlines() if line[:1] == "|"]
    assert len(lines) > 2
    assert all(f"{line}\n" in page for line in lines)
