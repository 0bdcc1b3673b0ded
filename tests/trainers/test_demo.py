"""The demo, with quick stand-ins for the programs that it runs."""

import json
from pathlib import Path

import pytest

from darts_tf import data
from darts_tf.errors import UserError
from darts_tf.exporting.saved_model import export_saved_model
from darts_tf.networks.complexity import parameters
from darts_tf.networks.network import build_network, inference_network
from darts_tf.networks.spec import NetworkSpec
from darts_tf.report.pictures.text import as_text
from darts_tf.spaces import zoo
from trainers import demo

GENOTYPE = zoo.get("DARTS_V2")


class Programs:
    """Writes what the programs write, around a network that is untrained."""

    def __init__(self):
        self.calls = []
        spec = NetworkSpec(GENOTYPE, (8, 8, 1), layers=3, init_channels=4)
        self.model = inference_network(build_network(spec), spec, (0.3,), (0.4,))

    def __call__(self, module, *flags):
        given = dict(flag.removeprefix("--").split("=") for flag in flags)
        self.calls.append((module, given))
        match module:
            case "trainers.search":
                found = {"genotype": GENOTYPE.to_dict(), "epoch": 17, "reason": "Criterion 1*: ..."}
                self.write(given["run_dir"], "genotype.json", found)
            case "trainers.train":
                assert json.loads(Path(given["genotype"]).read_text())["epoch"] == 17
                result = {"parameters": parameters(self.model)}
                self.write(given["run_dir"], "result.json", result)
            case "export.saved_model":
                export_saved_model(self.model, given["output"])

    def write(self, folder, name, value):
        Path(folder).mkdir(parents=True)
        (Path(folder) / name).write_text(json.dumps(value))


def test_the_demo_runs_all_programs_and_ends_with_its_summary(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(demo, "ROOT", tmp_path / "demo")
    programs = Programs()
    monkeypatch.setattr(demo, "_program", programs)
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "left").touch()
    demo.main([])
    assert not (tmp_path / "demo" / "left").exists()
    assert [module for module, _ in programs.calls] == [
        "trainers.search",
        "trainers.train",
        "export.saved_model",
    ]
    shown = capsys.readouterr().out
    assert as_text(GENOTYPE) in shown
    table = dict(line.split(": ", 1) for line in shown.splitlines()[-7:])
    test = data.load("digits", str(tmp_path / "demo" / "data")).test
    predictions = programs.model.predict(test.images, verbose=0).argmax(1)
    assert table == {
        "search stopped after": "epoch 17",
        "because of": "Criterion 1*: ...",
        "test accuracy": f"{100 * (predictions == test.labels).mean():.2f} %",
        "parameters": f"{parameters(programs.model):,}",
        "SavedModel": str(tmp_path / "demo" / "serving" / "1"),
        "predictions": " ".join(map(str, predictions[:10])),
        "true labels": " ".join(map(str, test.labels[:10])),
    }


def test_a_failed_program_ends_the_demo(capfd):
    with pytest.raises(UserError, match=r"trainers\.train ended with status 2"):
        demo._program("trainers.train", "--genotype=DARTS_V3")
    assert "DARTS_V3" in capfd.readouterr().err


def test_help_says_what_the_demo_does_and_runs_nothing(capsys, monkeypatch):
    monkeypatch.setattr(demo, "_program", lambda *_: pytest.fail("a program was run"))
    for flag in ("--help", "-h"):
        demo.main([flag])
        assert capsys.readouterr().out.startswith("Searches, trains and exports")


def test_the_demo_has_no_flags():
    with pytest.raises(UserError, match="--epochs=1"):
        demo.main(["--epochs=1"])
