"""docs/extending.md: its five plugs in one file, searched with, killed, trained and exported."""

import ast
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.processes import ROOT

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "extending.md").read_text(encoding="utf-8")
SECTIONS = {
    part.partition("\n")[0]: re.findall(r"^```python\n(.*?)^```$", part, re.DOTALL | re.MULTILINE)
    for part in PAGE.split("\n## ")[1:]
}
RUN = "Run it"
PLUGS = "\n".join("\n".join(SECTIONS[name]) for name in SECTIONS if name != RUN)
MAIN, PROGRAM = SECTIONS[RUN]
STRIPES = (
    *("--dataset=stripes", "--space=three_inputs", "--method=gumbel", "--stop_criterion=plateau"),
    *("--layers=3", "--init_channels=2", "--epochs=1"),
)
# Runs the program with one command line after another.
SEARCHES = """
import json, runpy, sys
for words in json.loads(sys.argv[1]):
    sys.argv = ["search.py", *words]
    try:
        runpy.run_path("search.py", run_name="__main__")
    except SystemExit as end:
        print("status:", end.code or 0)
"""


def python(folder, *words):
    """Starts Python in a folder, as a user who has installed the package would."""
    return subprocess.Popen(
        [sys.executable, *map(str, words)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}", "TF_CPP_MIN_LOG_LEVEL": "3"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process):
    output, errors = process.communicate()
    assert process.returncode == 0, errors[-4000:]
    return output


def history(run):
    lines = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "timing"} for line in lines]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The user's folder: one run that was left alone, and one that was killed in its search."""
    folder = tmp_path_factory.mktemp("user")
    plugs = PLUGS.replace("nodes=3", "nodes=2")
    (folder / "plugs.py").write_text(f"{plugs}\n{MAIN}")
    (folder / "search.py").write_text(PROGRAM)
    killed = python(folder, "plugs.py", "killed")
    lines = folder / "killed" / "search" / "history.jsonl"
    while killed.poll() is None and not (lines.exists() and lines.read_text().count("\n")):
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    assert not (folder / "killed" / "search" / "genotype.json").exists()
    again = "import plugs; [plugs.main(name) for name in ('killed', 'undisturbed')]"
    ended(python(folder, "-c", again))
    return folder


@pytest.mark.parametrize("name", [name for name in SECTIONS if name != RUN])
def test_each_plug_has_at_most_40_lines(name):
    code = "\n".join(SECTIONS[name])
    ast.parse(code)
    lines = [line for line in code.splitlines() if line.strip()]
    assert 0 < len(lines) <= 40


def test_a_killed_search_with_all_five_resumes_to_the_bit(folder):
    runs = folder / "killed", folder / "undisturbed"
    assert history(runs[0] / "search") == history(runs[1] / "search")
    for name in ("search/genotype.json", "network/result.json"):
        results = [json.loads((run / name).read_text()) for run in runs]
        for result in results:
            result.pop("cost")
        assert results[0] == results[1]
    models = [run / "network" / "model.keras" for run in runs]
    assert models[0].read_bytes() == models[1].read_bytes()


def test_the_history_tells_the_methods_temperature_and_the_genotype_is_of_the_best_epoch(folder):
    lines = history(folder / "undisturbed" / "search")
    temperatures = [line["measures"]["temperature"] for line in lines]
    np.testing.assert_allclose(
        temperatures, [0.2 ** (epoch / 3) for epoch in range(len(lines))], 1e-6
    )
    outcome = json.loads((folder / "undisturbed" / "search" / "genotype.json").read_text())
    best = max(lines, key=lambda line: line["valid_accuracy"])
    stopped = outcome["reason"].startswith("no better epoch")
    assert stopped == (lines[-1]["epoch"] - best["epoch"] >= 3)
    chosen = best if stopped else lines[-1]
    assert outcome["genotype"] == chosen["genotype"]
    assert outcome.get("genotype_epoch", outcome["epoch"]) == chosen["epoch"]
    assert outcome["genotype"]["space"] == "three_inputs"
    nodes = [edge[2] for edge in outcome["genotype"]["normal"]]
    assert [nodes.count(node) for node in (2, 3)] == [2, 3]


def test_both_runs_have_their_page_and_settings(folder):
    settings = (folder / "undisturbed" / "search" / "config.flags").read_text().splitlines()
    wanted = {"--method=gumbel", "--gumbel_coldest=0.2", "--space=three_inputs"}
    assert wanted | {"--stop_criterion=plateau", "--plateau_patience=3"} <= set(settings)
    for run in ("search", "network"):
        page = (folder / "undisturbed" / run / "report.html").read_text()
        assert "stripes" in page
        assert "conv_1x1" in page


def test_the_network_loads_where_nobody_knows_the_plugs_and_the_export_answers(folder):
    model = keras.saving.load_model(folder / "undisturbed" / "network" / "model.keras")
    images = np.zeros((3, 8, 8, 1), np.float32)
    served = tf.saved_model.load(folder / "undisturbed" / "serving" / "1")
    answers = served.signatures["serving_default"](pixels=tf.constant(images))
    assert set(answers["label"].numpy()) <= {b"across", b"down"}
    np.testing.assert_allclose(answers["scores"], model.predict(images, verbose=0), atol=1e-5)


def test_the_programs_know_the_plugs_and_their_settings(folder):
    words = [*STRIPES, "--helpfull"], [*STRIPES, "--gumbel_coldest=7"]
    both = python(folder, "-c", SEARCHES, json.dumps(words))
    told, errors = both.communicate()
    assert "--gumbel_coldest=0.2" in told
    assert "--plateau_patience=3" in told
    assert told.split("status: ")[1:] == ["0\n", "2\n"]
    [line] = [line for line in errors.splitlines() if line.startswith("search: ")]
    assert line.startswith("search: --gumbel_coldest: ")
