import re

import pytest

from darts_tf import zoo
from darts_tf.errors import UserError
from trainers import demo

SMALL = {
    "trainers.search": ("--epochs=1", "--layers=3", "--init_channels=2", "--batch_size=360"),
    "trainers.train": ("--epochs=1", "--layers=3", "--init_channels=2", "--batch_size=480"),
    "export.saved_model": (),
}


def test_the_demo_goes_the_whole_way_and_ends_with_its_table(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(demo, "ROOT", tmp_path / "demo")
    run = demo._program
    monkeypatch.setattr(demo, "_program", lambda name, *flags: run(name, *flags, *SMALL[name]))
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "left").touch()
    demo.main([])
    assert not (tmp_path / "demo" / "left").exists()

    table = dict(line.split(": ", 1) for line in capfd.readouterr().out.splitlines()[-9:])
    assert table["search stopped after"] == "epoch 0"
    assert "of 1 epochs" in table["because of"] or "Criterion 1" in table["because of"]
    for cell in ("normal cell", "reduction cell"):
        assert len(re.findall(r"\w+\(\d\)", table[cell])) == 8
    assert re.fullmatch(r"\d+\.\d\d %", table["test accuracy"])
    assert int(table["parameters"].replace(",", "")) > 0
    assert table["SavedModel"].endswith("serving/1")
    assert len(table["it answers"].split()) == len(table["true labels"].split()) == 10


def test_a_failed_step_ends_the_demo(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(demo, "ROOT", tmp_path / "demo")
    monkeypatch.setattr(demo, "_program", lambda *words: _wrong())
    with pytest.raises(UserError, match="status 2"):
        demo.main([])


def _wrong(program=demo._program):
    program("trainers.train", f"--genotype={zoo.names()[0]}x")


def test_the_demo_has_no_flags():
    with pytest.raises(UserError, match="--epochs=1"):
        demo.main(["--epochs=1"])
