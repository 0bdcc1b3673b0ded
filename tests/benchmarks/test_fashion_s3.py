"""The study of docs/collapse.md, computed again with SciPy from the errors of all trainings."""

import csv
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

pytest.importorskip("benchmarks")  # not in the wheel

from benchmarks import collapse

TREE = Path(__file__).parents[2]
RESULTS = TREE / "benchmarks" / "results" / "fashion_s3"
SEARCHES = {"darts": "DARTS", "darts-one_level": "one level", "random": ""}
RULES = {
    "end": "the last epoch",
    "skip_connects": "Criterion 1",
    "skip_connects:10": "Criterion 1 from epoch 10 on",
    "best": "the supernet's best epoch",
    "epoch:5": "epoch 5",
    "epoch:10": "epoch 10",
    "epoch:20": "epoch 20",
    "epoch:40": "epoch 40",
    "": "random cells",
}


def trainings():
    with (RESULTS / "cells.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def errors():
    """Returns by method and rule the mean test error of each search's cell."""
    found = defaultdict(lambda: defaultdict(list))
    for line in trainings():
        by_seed = found[line["method"], line["rule"]]
        by_seed[line["search_seed"]].append(float(line["error_percent"]))
    return {
        key: {seed: np.mean(values) for seed, values in by_seed.items()}
        for key, by_seed in found.items()
    }


def table():
    """Returns the rows of the page's table, by search and cell."""
    text = (TREE / "docs" / "collapse.md").read_text(encoding="utf-8")
    lines = text[text.index("| search | cell of |") :].partition("\n\n")[0].splitlines()[2:]
    rows = ([part.strip() for part in line.strip("|").split("|")] for line in lines)
    return {(row[0], row[1]): row for row in rows}


def interval(values, sign=""):
    mean, spread = np.mean(values), stats.sem(values)
    low, high = stats.t.interval(0.95, len(values) - 1, mean, spread)
    return f"{mean:{sign}.2f} ({low:{sign}.2f} to {high:{sign}.2f})"


@pytest.mark.parametrize("key", errors(), ids=" ".join)
def test_the_page_has_the_errors_and_the_paired_differences(key):
    method, rule = key
    every = errors()
    row = table()[SEARCHES[method], RULES[rule]]
    own = every[key]
    assert row[5] == interval([*own.values()])
    for cell, other in ((row[6], every["darts", "end"]), (row[7], every["random", ""])):
        same = other == own
        pairs = [own[seed] - other[seed] for seed in own]
        assert cell == ("" if same else interval(pairs, "+"))


def test_the_page_says_how_many_searches_there_are():
    seeds = {line["search_seed"] for line in trainings()}
    text = (TREE / "docs" / "collapse.md").read_text(encoding="utf-8")
    assert f"{len(seeds)} of the ten search seeds" in " ".join(text.split())
    histories = {path.name for path in (RESULTS / "histories").iterdir()}
    searched = ("darts", "darts-one_level")
    assert histories == {f"{name}_{seed}.jsonl.gz" for name in searched for seed in seeds}


def test_the_pictures_are_those_of_the_results():
    study = json.loads((RESULTS / "table.json").read_text(encoding="utf-8"))
    for name, contents in collapse.pictures(study).items():
        assert (TREE / "docs" / "images" / name).read_bytes() == contents
