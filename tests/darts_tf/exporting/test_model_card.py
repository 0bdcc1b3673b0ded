"""The model card: what it tells, and that its checksums are those of the files."""

import hashlib
import json
import shutil
import subprocess

import pytest

from darts_tf.exporting.model_card import write_card
from darts_tf.spaces import zoo

MODEL = {
    "image": [8, 8, 1],
    "classes": 10,
    "parameters": 221386,
    "multiply_adds": 4000000,
    "darts_tf": "0.1.0",
}
RESULT = {
    "dataset": "digits",
    "top1_error_percent": 1.3888888,
    "top5_error_percent": 0.0,
    "epochs": 40,
    "genotype": json.loads(json.dumps(zoo.get("DARTS_V2").to_dict())),
    "cost": {"device": "a name that is nobody's business"},
}


@pytest.fixture
def folder(tmp_path):
    for name in ("saved_model.pb", "assets/labels.txt", "assets.extra/requests", "a b.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def read(folder):
    extra = folder / "assets.extra"
    card = json.loads((extra / "model_card.json").read_text())
    return card, (extra / "model_card.md").read_text(encoding="utf-8")


def test_it_tells_what_the_model_is_and_what_its_training_came_to(folder):
    write_card(folder, MODEL, RESULT)
    card, page = read(folder)
    sums = card.pop("sha256")
    right = {**MODEL, **RESULT}
    del right["cost"]
    assert card == right
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert set(sums) == files - {f"assets.extra/model_card.{end}" for end in ("json", "md")}
    assert sums["a b.txt"] == hashlib.sha256(b"a b.txt").hexdigest()
    for text in (
        "| digits |",
        "| 8 x 8 x 1 |",
        "| 221,386 |",
        "| 1.39 |",
        json.dumps(RESULT["genotype"]),
    ):
        assert text in page


def test_without_a_result_it_tells_what_the_model_alone_tells(folder):
    write_card(folder, MODEL, None)
    card, page = read(folder)
    assert set(card) == {*MODEL, "sha256"}
    assert "error" not in page
    assert "Genotype" not in page


def test_a_folder_of_images_is_told_without_where_it_was(folder):
    write_card(folder, MODEL, {"dataset": "image_folder:/home/somebody/a|b\udcff"})
    card, page = read(folder)
    assert card["dataset"] == "a|b\udcff"
    assert r"| a\|b? |" in page
    assert not any("somebody" in text for text in (page, json.dumps(card)))


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="sha256sum is not installed")
def test_sha256sum_checks_the_page_and_finds_a_changed_file(folder):
    write_card(folder, MODEL, RESULT)
    command = ["sha256sum", "--check", "assets.extra/model_card.md"]
    check = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    assert check.stdout.count(": OK") == 4
    (folder / "assets" / "labels.txt").write_text("changed")
    check = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert check.returncode == 1
    assert "assets/labels.txt: FAILED" in check.stdout
