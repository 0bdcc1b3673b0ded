"""The studies of docs/collapse.md, computed again with SciPy from the errors of all trainings."""

import csv
import re
import shutil
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from darts_tf.errors import UserError

pytest.importorskip("benchmarks")  # not in the wheel

from benchmarks import collapse
from benchmarks.studies import tables
from benchmarks.studies.kept import keep

TREE = Path(__file__).parents[2]
RESULTS = TREE / "benchmarks" / "results" / "studies"
STUDIES = sorted(path.name for path in RESULTS.iterdir())
STAGED = {"fashion_s3_stages"}
SEARCHES = {"darts": "DARTS", "darts-one_level": "one level", "random": ""}
SEARCHES |= {"pc_darts": "PC-DARTS", "gdas": "GDAS"}
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


def lines(study, name="cells.csv"):
    with (RESULTS / study / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def errors(study):
    """Returns by method and rule the mean test error of each search's cell."""
    found = defaultdict(lambda: defaultdict(list))
    for line in lines(study):
        by_seed = found[line["method"], line["rule"]]
        by_seed[line["search_seed"]].append(float(line["error_percent"]))
    return {
        key: {seed: np.mean(values) for seed, values in by_seed.items()}
        for key, by_seed in found.items()
    }


def section(study):
    """Returns the part of the page that begins with the study's command."""
    text = (TREE / "docs" / "collapse.md").read_text(encoding="utf-8")
    return text[text.index(f"python -m trainers.study --flagfile={study}.flags") :]


def table(study, heading):
    """Returns the rows of the first table in a study's section whose headings match a pattern."""
    text = section(study)
    found = re.search(heading, text)
    rows = text[found.start() :].partition("\n\n")[0].splitlines()[2:]
    cells = ([part.strip() for part in row.strip("|").split("|")] for row in rows)
    return {(row[0], row[1]): row for row in cells}


def told_numbers(text):
    return [float(number) for number in re.findall(r"[+-]?\d+\.\d+", text)]


def interval(values):
    """Returns mean and ends of the 95 % interval; a table rounds them to hundredths."""
    mean, spread = np.mean(values), stats.sem(values)
    return pytest.approx([mean, *stats.t.interval(0.95, len(values) - 1, mean, spread)], abs=0.0051)


@pytest.mark.parametrize("study", STUDIES)
def test_the_page_has_the_errors_and_the_paired_differences(study):
    every = errors(study)
    told = table(study, r"\| search +\| cell of")
    assert len(told) == len(every)
    for (method, rule), own in every.items():
        row = told[SEARCHES[method], RULES[rule]]
        assert told_numbers(row[5]) == interval([*own.values()])
        for cell, other in ((row[6], every["darts", "end"]), (row[7], every["random", ""])):
            same = other == own
            pairs = [own[seed] - other[seed] for seed in own]
            assert told_numbers(cell) == ([] if same else interval(pairs))


@pytest.mark.parametrize("study", STUDIES)
def test_the_page_has_the_means_of_the_normal_cell_by_epoch(study):
    values = defaultdict(list)
    stages = ("_0", "_1", "_2") if study in STAGED else ("",)
    forms = {}
    for line in lines(study, "epochs.csv"):
        key = SEARCHES[line["method"]], int(line["epoch"])
        for number in stages:
            text = f"`normal{number}`: " if number else ""
            for what, column, form in (
                ("skip-connects", f"skip_connects_normal{number}", ".1f"),
                ("weight of `none`", f"weight_normal{number}_none", ".2f"),
            ):
                values[*key, text + what].append(float(line[column]))
                forms[text + what] = form
    told = table(study, r"\| search +\| normal cell")
    for method in {name for name, _, _ in values}:
        for what, form in forms.items():
            means = [np.mean(values[method, epoch, what]) for epoch in (0, 5, 10, 20, 40, 60, 79)]
            assert told[method, what][2:] == [format(mean, form) for mean in means]


@pytest.mark.parametrize("study", sorted(set(STUDIES) - STAGED))
def test_the_page_has_the_errors_by_the_number_of_skip_connects(study):
    errors, skips = defaultdict(dict), {}
    for line in lines(study):
        cell = line["training"].split("/")[1]
        errors[cell][line["training_seed"]] = float(line["error_percent"])
        skips[cell] = int(line["skip_connects_normal"]) + int(line["skip_connects_reduce"])
    means = {cell: np.mean([*values.values()]) for cell, values in errors.items()}
    every = 0
    for row in table(study, r"\| skip-connects in both cells").values():
        low, high = map(int, row[0].split(" to "))
        within = [means[cell] for cell, count in skips.items() if low <= count <= high]
        assert row[1] == str(len(within))
        assert row[3:] == [f"{np.mean(within):.2f}", f"{np.std(within, ddof=1):.2f}"]
        every += len(within)
    assert every >= len(means) - 1


@pytest.mark.parametrize("study", STUDIES)
def test_the_page_has_the_tables_that_the_command_prints(study):
    for printed in tables.markdown(RESULTS / study).split("\n\n"):
        assert printed in section(study)


@pytest.mark.parametrize("study", STUDIES)
def test_all_histories_are_kept(study):
    searched = {(line["method"], line["search_seed"]) for line in lines(study, "epochs.csv")}
    kept = {path.name for path in (RESULTS / study / "histories").iterdir()}
    assert kept == {f"{method}_{seed}.jsonl.gz" for method, seed in searched}


def test_the_pictures_are_those_of_the_results():
    for name, contents in collapse.pictures(RESULTS).items():
        assert (TREE / "docs" / "images" / name).read_bytes() == contents


def test_a_study_is_kept_without_its_networks_and_the_folder_of_its_data(tmp_path):
    run, kept = tmp_path / "run", tmp_path / "kept"
    with pytest.raises(UserError, match=r"expected a study with a finished search seed"):
        keep(run, kept)
    given = RESULTS / STUDIES[0]
    shutil.copytree(given, run)
    flags = (given / "config.flags").read_text(encoding="utf-8")
    (run / "config.flags").write_text(f"--data_dir=somewhere\n{flags}", encoding="utf-8")
    searched = {(line["method"], line["search_seed"]) for line in lines(STUDIES[0], "epochs.csv")}
    for method, seed in searched:
        folder = run / "searches" / f"{method}_{seed}"
        folder.mkdir(parents=True)
        (folder / "history.jsonl").write_text(f"{method} {seed}\n", encoding="utf-8")
    (run / "networks").mkdir()
    (run / "table.json").write_text("older", encoding="utf-8")
    keep(run, kept)
    assert (kept / "study.json").read_bytes() == (given / "study.json").read_bytes()
    (run / "study.json").unlink()
    keep(run, kept)
    assert (kept / "study.json").read_text(encoding="utf-8") == "older"
    assert {path.name for path in kept.iterdir()} == {path.name for path in given.iterdir()}
    assert (kept / "config.flags").read_text(encoding="utf-8") == flags
