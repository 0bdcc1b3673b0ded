"""A study searches once a seed and method, trains each cell once a seed, and goes on after a kill.

Searches and trainings are stood in: a history that was drawn, and errors that its cells decide.
"""

import csv
import json
import shutil

import numpy as np
import pytest

from darts_tf.config import training_flag_lines
from darts_tf.errors import UserError
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.history import read_history
from darts_tf.searching import methods
from darts_tf.searching.search import SearchResult
from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.genotype import read_genotype
from darts_tf.spaces.sampling import random_genotype
from darts_tf.study import running, seeds
from darts_tf.study.config import StudyConfig
from darts_tf.study.running import divided, run_study
from darts_tf.study.sharing import taken, taking_part
from tests import histories

IMAGES = np.zeros((40, 8, 8, 1), np.uint8), np.arange(40) % 4


def error_of(genotype, seed):
    """The error that a stood-in training has: that of its skip-connects, and its seed."""
    return 10.0 + sum(genotype.skip_connects().values()) + 0.1 * seed


@pytest.fixture
def stood_in(monkeypatch):
    done = {"searches": [], "trainings": [], "ends_at": None}

    def search(config, path, **_):
        run = RunDirectory(path, "search")
        if not run.outcome.exists():
            if config.seed == done["ends_at"]:
                raise KeyboardInterrupt
            done["searches"].append((config.method, config.arch_order, config.seed))
            histories.searched(path, config.seed, epochs=config.epochs)
        records = read_history(path)
        outcome = run.read_outcome()
        return SearchResult(read_genotype(outcome), records[-1].epoch, "the last", records)

    def result_of(config, genotype, path, *_):
        run = RunDirectory(path, "train")
        if run.claim(training_flag_lines(config, genotype)) != "finished":
            done["trainings"].append(str(path))
            result = {
                "top1_error_percent": error_of(genotype, config.seed),
                "parameters": 1000,
                "multiply_adds": 5000,
            }
            run.write_json(run.result, result)
        return run.read_outcome()

    monkeypatch.setattr(seeds, "search", search)
    monkeypatch.setattr(seeds, "result_of", result_of)
    return done


def config(seed, **settings):
    return StudyConfig(
        dataset="digits",
        seed=seed,
        epochs=12,
        searches=3,
        stops="end,epoch:2,skip_connects",
        **settings,
    )


def test_each_search_and_each_training_is_made_once(stood_in, tmp_path, seed):
    seed %= 1000
    found = run_study(config(seed, beside="darts:one_level"), tmp_path, data=IMAGES)
    all_seeds = range(seed, seed + 3)
    assert sorted(stood_in["searches"]) == sorted(
        ("darts", order, one) for order in ("first", "one_level") for one in all_seeds
    )
    assert len(set(stood_in["trainings"])) == len(stood_in["trainings"])
    assert [(row["method"], row["rule"]) for row in found["rows"]] == [
        *(("darts", rule) for rule in ("end", "epoch:2", "skip_connects")),
        *(("darts-one_level", rule) for rule in ("end", "epoch:2", "skip_connects")),
        ("random", ""),
    ]
    assert run_study(config(seed, beside="darts:one_level"), tmp_path, data=IMAGES) == found
    assert json.loads((tmp_path / "study.json").read_text()) == found


def test_the_table_holds_what_the_histories_and_trainings_say(stood_in, tmp_path, seed):
    seed %= 1000
    found = run_study(config(seed), tmp_path, data=IMAGES)
    all_seeds = range(seed, seed + 3)
    ends, third, randoms = {}, {}, {}
    for one in all_seeds:
        records = read_history(tmp_path / "searches" / f"darts_{one}")
        ends[one], third[one] = records[-1].genotype, records[2].genotype
        randoms[one] = random_genotype(DARTS, np.random.default_rng(one))

    def mean(genotype):
        return np.mean([error_of(genotype, each) for each in (seed, seed + 1)])

    rows = {(row["method"], row["rule"]): row for row in found["rows"]}
    early = rows["darts", "epoch:2"]
    differences = [mean(third[one]) - mean(ends[one]) for one in all_seeds]
    assert early["to_end"]["mean"] == pytest.approx(np.mean(differences))
    differences = [mean(third[one]) - mean(randoms[one]) for one in all_seeds]
    assert early["to_random"]["mean"] == pytest.approx(np.mean(differences))
    assert early["stop_epoch"] == 2
    assert early["skip_connects"]["normal"] == pytest.approx(
        np.mean([third[one].skip_connects()["normal"] for one in all_seeds])
    )
    assert rows["darts", "end"]["to_end"] is None
    assert rows["random", ""]["error_percent"]["mean"] == pytest.approx(
        np.mean([mean(one) for one in randoms.values()])
    )
    with (tmp_path / "epochs.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 3 * 12
    weights = [float(v) for k, v in lines[-1].items() if k.startswith("weight_normal_")]
    assert sum(weights) == pytest.approx(1)


def test_the_first_method_has_the_settings_that_are_given(stood_in, tmp_path, seed, monkeypatch):
    seen = {}
    stand_in = seeds.search

    def search(settings, path, *, method, **others):
        seen.setdefault(settings.method, method)
        return stand_in(settings, path, **others)

    monkeypatch.setattr(seeds, "search", search)
    method = {"name": "asap", "temperature": 0.5}
    settings = config(seed % 1000, method="asap", beside="gdas")
    run_study(settings, tmp_path, method=method, data=IMAGES)
    assert seen["asap"] == methods.get(method)
    assert seen["gdas"] == methods.get("gdas")
    assert "--asap_temperature=0.5" in (tmp_path / "config.flags").read_text().splitlines()


def test_a_killed_study_goes_on_to_the_same_numbers(stood_in, tmp_path, seed):
    seed %= 1000
    whole = run_study(config(seed), tmp_path / "whole", data=IMAGES)
    before = len(stood_in["searches"])
    stood_in["ends_at"] = seed + 2
    with pytest.raises(KeyboardInterrupt):
        run_study(config(seed), tmp_path / "killed", data=IMAGES)
    assert (tmp_path / "killed" / "report.html").exists()
    stood_in["ends_at"] = None
    assert run_study(config(seed), tmp_path / "killed", data=IMAGES) == whole
    assert len(stood_in["searches"]) == before + 3
    for name in ("cells.csv", "epochs.csv", "study.json"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_what_another_process_has_is_put_off(stood_in, tmp_path, seed, monkeypatch):
    seed %= 1000
    alone = run_study(config(seed), tmp_path / "alone", data=IMAGES)
    stood_in["ends_at"] = seed
    with pytest.raises(KeyboardInterrupt):
        run_study(config(seed), tmp_path / "shared", data=IMAGES)
    stood_in["ends_at"] = None
    order = stood_in["searches"]
    order.clear()
    other = taken(tmp_path / "shared" / "searches" / f"darts_{seed}")
    other.__enter__()
    waits = []

    def wait(seconds):
        waits.append(seconds)
        other.__exit__(None, None, None)

    monkeypatch.setattr(running.time, "sleep", wait)
    assert run_study(config(seed), tmp_path / "shared", data=IMAGES) == alone
    assert [one for *_, one in order] == [seed + 1, seed + 2, seed]
    assert len(waits) == 1


def test_a_file_named_stop_ends_a_study_after_a_seed(stood_in, tmp_path, seed, monkeypatch):
    seed %= 1000
    run = RunDirectory(tmp_path, "study")
    stand_in = seeds.search

    def stopping(*words, **named):
        run.stop.touch()
        return stand_in(*words, **named)

    monkeypatch.setattr(seeds, "search", stopping)
    found = run_study(config(seed), tmp_path, data=IMAGES)
    assert {row["searches"] for row in found["rows"]} == {1}
    assert found["ended_by_hand"]
    assert "with 1 of 3 seeds: a file named stop" in run.report.read_text()
    assert not run.stop.exists()
    assert not run.finished()
    monkeypatch.setattr(seeds, "search", stand_in)
    found = run_study(config(seed), tmp_path, data=IMAGES)
    assert {row["searches"] for row in found["rows"]} == {3}
    assert "ended_by_hand" not in found
    assert run.finished()


def test_the_file_named_stop_stays_until_the_last_process_ends(tmp_path):
    file = tmp_path / "config.flags"
    with taking_part(file) as first:
        with taking_part(file) as second:
            assert not first()
            assert second()
        assert first()


def test_a_process_also_writes_what_others_have_brought_to_their_end(
    stood_in, tmp_path, seed, monkeypatch
):
    seed %= 1000
    whole = run_study(config(seed), tmp_path / "whole", data=IMAGES)
    shared = tmp_path / "shared"
    shutil.copytree(tmp_path / "whole", shared)
    for name in ("cells.csv", "epochs.csv", "study.json", "table.json"):
        (shared / name).unlink()
    # All of the second seed is there, the last training of the third is not, nor is the first seed.
    shutil.rmtree(shared / "searches" / f"darts_{seed}")
    with (tmp_path / "whole" / "cells.csv").open() as file:
        lines = list(csv.DictReader(file))
    mine = {line["training"] for line in lines if line["search_seed"] != str(seed + 2)}
    missing = next(line["training"] for line in reversed(lines) if line["training"] not in mine)
    shutil.rmtree(shared / missing)
    read = []
    stand_in = seeds.search

    def search(settings, path, **named):
        read.append(settings.seed)
        return stand_in(settings, path, **named)

    written = []
    write = running.write_results

    def write_results(run, settings, cells, epochs, finished, **facts):
        written.append([cell.seed for cell in cells])
        write(run, settings, cells, epochs, finished, **facts)

    monkeypatch.setattr(seeds, "search", search)
    monkeypatch.setattr(running, "write_results", write_results)
    assert run_study(config(seed), shared, data=IMAGES) == whole
    assert [sorted(set(each)) for each in written] == [
        [seed, seed + 1],
        [seed, seed + 1, seed + 2],
    ]
    assert sorted(read) == [seed, seed + 1, seed + 2]
    assert (shared / "epochs.csv").read_bytes() == (tmp_path / "whole/epochs.csv").read_bytes()


def test_searches_and_trainings_have_images_of_their_own(seed):
    from darts_tf.data.datasets import as_dataset

    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (40, 8, 8, 1), np.uint8)
    dataset = as_dataset((images, np.arange(40) % 4))
    whole = dataset.load()
    parts = divided(whole, config(0, search_images=10, train_images=20))
    assert [len(part.train) for part in parts] == [10, 20]
    assert np.array_equal(parts[0].train.images, whole.train.images[:10])
    assert np.array_equal(parts[1].train.images, whole.train.images[10:30])
    assert all(part.test is whole.test for part in parts)
    assert len(divided(whole, config(0, search_images=10))[1].train) == len(whole.train) - 10


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"stop_criterion": "skip_connects"}, "stop_criterion: expected none"),
        ({"train_images": 5}, "train_images: expected 0"),
        ({"beside": "dart"}, "beside: expected methods among"),
        ({"beside": "darts:third"}, "beside: expected a gradient of first, second, one_level"),
        ({"beside": "darts"}, "beside: expected each method once"),
        ({"network_layers": 2}, "network_layers"),
        ({"stops": "never"}, "stops: expected rules among"),
        ({"strategy": "multi_worker"}, "strategy: expected another one"),
    ],
)
def test_settings_that_make_no_study_are_refused(settings, words):
    with pytest.raises(UserError, match=words):
        StudyConfig(dataset="digits", **settings)


def test_images_that_are_not_there_are_refused(tmp_path):
    with pytest.raises(UserError, match="search_images: expected at most"):
        run_study(config(0, search_images=30, train_images=20), tmp_path, data=IMAGES)
