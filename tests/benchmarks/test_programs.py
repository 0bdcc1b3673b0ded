"""The commands with real work at tiny sizes."""

import csv
import os
from dataclasses import replace

import numpy as np
import pytest

from tests.contracts import repeatable
from tests.trainers.programs import python

pytest.importorskip("benchmarks")  # not in the wheel

from benchmarks import checkpoint, pipeline, profile
from benchmarks.timing import works
from darts_tf.errors import UserError
from darts_tf.runs.machine import processor

pytestmark = pytest.mark.long


@pytest.fixture
def one_core():
    """PyTorch's threads wait for each other busily, for minutes where other tests run beside."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    yield
    os.sched_setaffinity(0, cores)


def test_growth_measures_a_search(tmp_path):
    ended = python("-m", "benchmarks.growth", "--tiny", "--runs=1", "--output=g.csv", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    with (tmp_path / "g.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["what"], row["value"]) for row in rows] == [("candidates", "2"), ("cells", "3")]
    assert all(float(row[key]) > 0 for row in rows for key in ("seconds", "mib", "start_s"))
    assert len(ended.stdout.splitlines()) == 4


def test_methods_are_measured_beside_darts(tmp_path):
    words = ("--tiny", "--runs=1", "--methods=pc_darts", "--output=m.csv")
    ended = python("-m", "benchmarks.methods", *words, cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    with (tmp_path / "m.csv").open(newline="") as file:
        base, row = csv.DictReader(file)
    assert (base["method"], base["time_ratio"], base["memory_ratio"]) == ("darts", "1.00", "1.00")
    assert row["method"] == "pc_darts"
    assert row["processor"] == base["processor"] == processor()
    assert all(float(row[key]) > 0 for key in row if key not in ("method", "processor"))


def test_profile_lists_kinds_of_operations(capsys):
    with repeatable():
        profile.main(["--tiny", "--top=40"])
    lines = capsys.readouterr().out.splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines][2:]
    shares = [float(row[3].rstrip("%")) for row in rows]
    assert shares[:-1] == sorted(shares[:-1], reverse=True)
    assert sum(shares[:-1]) <= 101
    assert rows[-1][0] == "all"
    kinds = [row[0] for row in rows]
    assert any("FusedBatchNormGrad" in kind for kind in kinds)
    assert any("DepthwiseConv2dNativeBackpropFilter" in kind for kind in kinds)
    assert not {"Process", "Run", "Start", "Done"} & set(kinds)


def test_profile_of_a_method_has_its_operations(capsys):
    def kinds(method):
        with repeatable():
            profile.main(["--tiny", f"--method={method}", "--top=100"])
        return [line.split("|")[1].strip() for line in capsys.readouterr().out.splitlines()]

    assert "SplitV" in kinds("pc_darts")  # of a node's channels
    assert "SplitV" not in kinds("darts")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--method=pcdarts"], "pcdarts"),
        (["--method=gdas", "--work=training"], "expected a work that searches"),
    ],
)
def test_profile_refuses_what_it_cannot_run(capsys, words, message):
    with pytest.raises((UserError, SystemExit)) as refused:
        profile.main(words)
    assert message in str(refused.value) + capsys.readouterr().err


@pytest.mark.usefixtures("one_core")
def test_ours_and_pytorch_are_timed():
    pytest.importorskip("torch")
    from benchmarks.timing.measuring import compare

    work = replace(works.WORKS["inference_1"].tiny(), peers=(works.NCHW,))
    [row] = compare("inference_1", work, 2)
    ours, peer = float(row["ours_s"]), float(row["peer_s"])
    assert float(row["ratio"]) == pytest.approx(peer / ours, abs=0.01, rel=0.01)
    assert float(row["ours_mib"]) > 50
    assert float(row["peer_mib"]) > 50


@pytest.mark.usefixtures("one_core")
@pytest.mark.parametrize(
    "name",
    ["search_8", "search_bench", "search_pc_darts", "search_gdas", "training", "inference_1"],
)
def test_sides_compute_the_same(name):
    pytest.importorskip("torch")
    from benchmarks import check

    peers = works.PYTORCH[1:]
    found = check.differences(works.WORKS[name].tiny(), peers)
    assert found.keys() == set(peers)
    for values in found.values():
        assert len(values) == (1 if name == "inference_1" else 3)
        assert all(value <= check.BOUNDS[key] for key, value in values.items()), found


def test_a_checkpoint_is_measured_beside_a_step(tmp_path):
    with repeatable():
        checkpoint.main(["--tiny", "--runs=1", f"--output={tmp_path / 'c.csv'}"])
    with (tmp_path / "c.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["work"] for row in rows] == ["search_32", "training"]
    assert all(
        float(row[key]) > 0 for row in rows for key in ("step_s", "save_s", "resume_s", "mb")
    )


def test_pipeline_is_measured_beside_the_step_that_it_feeds(tmp_path, capsys):
    with repeatable():
        pipeline.main(["--tiny", "--runs=1", f"--output={tmp_path / 'p.csv'}"])
    with (tmp_path / "p.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["work"] for row in rows] == ["cifar10", "imagenet"]
    for row in rows:
        fed, taken = float(row["pipeline_images_s"]), float(row["step_images_s"])
        assert float(row["ratio"]) == pytest.approx(fed / taken, rel=0.05, abs=0.1)
    assert len(capsys.readouterr().out.splitlines()) == 4


def test_synthetic_jpegs_are_as_large_as_imagenets(seed):
    sizes = [len(pipeline._jpeg(np.random.default_rng([seed, number]))) for number in range(5)]
    assert 90_000 < np.mean(sizes) < 130_000
