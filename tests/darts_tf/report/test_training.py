"""The page of a training: its result, its curves, and the classes that it confuses."""

from __future__ import annotations

import base64
import json
import math
import re
from html import unescape

import pytest

from darts_tf.report import search, training
from darts_tf.report.by_class import class_errors
from darts_tf.report.runs import read_run
from darts_tf.runs.directory import RunDirectory
from tests.histories import searched, trained


@pytest.fixture
def run(tmp_path, seed):
    return trained(tmp_path / "run", seed, epochs=4)


def test_the_facts_are_those_of_the_result(run):
    facts = dict(training.page(read_run(run)).facts)
    assert facts == {
        "Test error": "5.28 %",
        "Test error, top 5": "0.28 %",
        "Parameters": "3,349,342",
        "Multiply-adds": "539,000,000",
        "Cost": "1.50 device-days, GPU",
    }


def test_a_run_that_was_extended_says_so(tmp_path, seed):
    for make, page in ((trained, training.page), (searched, search.page)):
        run = make(tmp_path / make.__name__, seed, epochs=2, finished=False)
        assert "Extended" not in page(read_run(run)).about
        text = run.config.read_text()
        for epochs in (4, 7):
            flags = text.replace("--epochs=2\n", f"--epochs={epochs}\n").splitlines()
            again = RunDirectory(run.path, run.program)
            again.claim(flags, extend=True)
            again.extend()
        about = page(read_run(run)).about
        assert " 2 of " in about
        assert " Extended from 2 to 4, then from 4 to 7 epochs, with the learning" in about


def test_the_curves_are_those_of_the_history(run):
    charts = training.content(read_run(run))["charts"]["learning"]
    lines = [json.loads(line) for line in run.history.read_text().splitlines()]
    keys = ("train_loss", "train_accuracy", "learning_rate", "drop_path")
    for chart, key in zip(charts, keys, strict=True):
        series = chart["series"][0]
        assert all(other["name"] == "test" for other in chart["series"][1:])
        factor = 100 if key == "train_accuracy" else 1
        assert series["values"] == pytest.approx([factor * line[key] for line in lines], rel=1e-5)


def test_what_is_no_number_is_a_gap(run):
    lines = [json.loads(line) for line in run.history.read_text().splitlines()]
    for line, odd in zip(lines, (math.nan, "high", None), strict=False):
        line["train_loss"] = odd
    del lines[3]["train_loss"]
    run.history.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    page = training.page(read_run(run))
    assert page.data["charts"]["learning"][0]["series"] == []
    assert "NaN" not in page.html().partition(' id="data">')[2].partition("</script>")[0]


def test_each_confused_pair_has_its_names_count_and_pictures(run):
    text = training.page(read_run(run)).html()
    stored = json.loads(run.confusions.read_text())["pairs"]
    classes = json.loads(run.result.read_text())["classes"]
    items = re.findall(r"<li><h3>.*?</li>", text)
    assert len(items) == len(stored)
    for item, pair in zip(items, stored, strict=True):
        names = [unescape(name) for name in re.findall(r"<b>(.*?)</b>", item)]
        assert names == [classes[pair["truth"]], classes[pair["answer"]]]
        assert f"{pair['count']} of {pair['of']} images" in item
        shown = re.findall(r"base64,([^\"]+)", item)
        assert [base64.b64decode(png) for png in shown] == [
            base64.b64decode(picture["png"]) for picture in pair["pictures"]
        ]
        assert item.count("alt=") == len(shown)


def test_a_class_by_the_name_of_a_tag_stays_a_text(run):
    page = training.page(read_run(run))
    text = page.html()
    assert text.count("</script>") == 2
    assert "&lt;/script&gt;&lt;b&gt;" in text
    [inside] = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text)
    assert json.loads(inside) == {**page.data, "finished": True}


def test_the_error_of_each_class_is_shown_the_greatest_first(run):
    stored = run.read_json(run.confusions)["by_class"]
    names = run.read_json(run.result)["classes"]
    text = training.page(read_run(run)).html()
    rows = re.findall(r'<tr><th scope="row">(.*?)</th><td>([\d.]+) %</td><td>(\d+) of (\d+)<', text)
    wanted = [
        (100 * each["wrong"] / each["of"], each["wrong"], each["of"], name)
        for each, name in zip(stored, names, strict=True)
        if each["of"]
    ]
    found = [(float(error), int(wrong), int(of), unescape(name)) for name, error, wrong, of in rows]
    assert [row[1:] for row in found] == [row[1:] for row in sorted(wanted, key=lambda r: -r[0])]
    assert [row[0] for row in found] == pytest.approx(sorted(r[0] for r in wanted)[::-1], abs=0.06)
    widths = [float(width) for width in re.findall(r'class="bar" style="width: ([\d.]+)%', text)]
    assert widths == pytest.approx([100 * row[1] / found[0][1] for row in found], abs=0.06)


def test_many_classes_are_folded():
    counts = [{"of": 10, "wrong": number % 7} for number in range(1000)]
    text = class_errors(counts, [])
    shown, folded = text.split("<details>")
    assert shown.count("<tr><th scope=") == 20 + 1  # the heading
    assert "The other 980 classes" in folded
    assert folded.count('<th scope="row">') == 980


def test_the_accuracy_on_the_test_images_is_a_point_at_the_end(run):
    [chart] = [
        each
        for each in training.content(read_run(run))["charts"]["learning"]
        if each["title"] == "Accuracy, %"
    ]
    assert chart["points"] == ["test"]
    assert chart["series"][-1] == {"name": "test", "values": [None, None, None, 94.72]}


def test_the_perplexities_in_rows_and_of_the_whole_text_have_names_of_their_own(run):
    lines = [json.loads(line) for line in run.history.read_text().splitlines()]
    for line in lines:
        line |= {"train_perplexity": 20.0, "valid_loss": 2.5, "valid_perplexity": 11.66}
    run.history.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    result = run.read_json(run.result) | {"valid_perplexity": 11.5612}
    run.write_json(run.result, result)
    page = training.page(read_run(run))
    assert dict(page.facts)["Validation perplexity"] == "11.56"
    _, chart, *_ = page.data["charts"]["learning"]
    assert chart["title"] == "Perplexity"
    assert [series["name"] for series in chart["series"]] == ["training", "validation in rows"]
    about = dict(page.sections)["Losses and accuracies"]
    assert f"in rows, {run.settings()['batch_size']} at once" in about
    assert "validation perplexity above" in about
    run.outcome.unlink()
    assert "above" not in dict(training.page(read_run(run)).sections)["Losses and accuracies"]


def test_images_that_were_held_out_have_curves(run):
    lines = [json.loads(line) for line in run.history.read_text().splitlines()]
    for line in lines:
        line |= {"valid_loss": 0.5 + line["epoch"], "valid_accuracy": 0.25}
    run.history.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    result = run.read_json(run.result)
    result["valid_top1_error_percent"] = result.pop("top1_error_percent")
    run.write_json(run.result, result)
    loss, accuracy, *_ = training.content(read_run(run))["charts"]["learning"]
    assert [series["name"] for series in loss["series"]] == ["training", "held out"]
    assert loss["series"][1]["values"] == [0.5, 1.5, 2.5, 3.5]
    assert accuracy["series"][1] == {"name": "held out", "values": [25.0] * 4}
    assert "points" not in accuracy


def test_the_percentages_below_pictures_are_explained(run):
    assert "the probability that the network gives its wrong" in training.page(read_run(run)).html()


def test_the_heading_has_the_data_set_and_the_day_on_which_the_run_began(run):
    assert training.page(read_run(run)).title == "run: digits"
    run.tensorboard.mkdir()
    (run.tensorboard / "events.out.tfevents.1590969600.123.darts_tf").touch()
    assert training.page(read_run(run)).title == "run: digits, 1 June 2020"
    run.log.write_text("2024-02-29 23:59:59,999 INFO epoch 0\n2024-03-01 00:10:00,000 INFO\n")
    page = training.page(read_run(run))
    assert page.title == "run: digits, 29 February 2024"
    assert "<h1>run: digits, 29 February 2024</h1>" in page.html()
    run.log.write_text("2024-02-31 not a day\n")
    assert training.page(read_run(run)).title == "run: digits, 1 June 2020"


def test_no_error_at_all_is_said_in_words(run):
    run.write_json(run.confusions, {"pairs": []})
    assert "Every test image was classified correctly" in training.page(read_run(run)).html()


def test_an_unfinished_training_shows_what_there_is(tmp_path, seed):
    page = training.page(read_run(trained(tmp_path / "run", seed, 2, finished=False)))
    assert not page.finished
    assert "under way: 2 of 2 epochs" in page.html()
    assert "Most confused" not in page.html()
    empty = training.page(read_run(trained(tmp_path / "empty", seed, 1, finished=False)))
    assert empty.data["epochs"] == [0]


def test_a_result_of_an_older_release_has_no_confusions(run):
    run.confusions.unlink()
    assert "Most confused" not in training.page(read_run(run)).html()
