"""docs/zoo.md: current, complete, and with the numbers of closed forms."""

import json
from importlib import resources
from pathlib import Path

import pytest

from darts_tf.errors import UserError
from darts_tf.spaces import zoo
from tests.oracles import counts as oracle

page = pytest.importorskip("benchmarks.zoo")  # not in the wheel
table = pytest.importorskip("benchmarks.table")
FACTS = pytest.importorskip("benchmarks.facts.zoo").FACTS

ROWS = table.read(page.RESULTS, page.COLUMNS)
ZOO = json.loads(resources.files("darts_tf.spaces").joinpath("zoo.json").read_text())
CELLS = [name for name in zoo.names() if zoo.get(name).space == "darts"]
# Those of the authors' code, as docs/spaces.md has them.
OTHERS = {
    "AUTO_DEEPLAB": ("6918950", "464027600"),
    "DARTS_PTB_V1": ("22960000", ""),
    "DARTS_PTB_V2": ("22960000", ""),
    "PROXYLESS_CPU": ("4361648", "439243864"),
    "PROXYLESS_GPU": ("7119848", "465260160"),
    "PROXYLESS_MOBILE": ("4080512", "320427584"),
    "SINGLE_PATH": ("4421616", "333467072"),
}


def of(name):
    return next((row["weights"], row["multiply_adds"]) for row in ROWS if row["name"] == name)


def test_every_genotype_has_a_row_and_facts():
    assert [row["name"] for row in ROWS] == list(zoo.names())
    assert set(FACTS) == set(zoo.names())


def test_the_page_and_the_results_are_current():
    assert page.rows(ROWS, []) == ROWS
    text = page.PAGE.read_text(encoding="utf-8")
    parts = {"zoo": page.markdown(ROWS), "drawings": page.drawings()}
    assert page.filled(text, parts) == text
    assert all(part in text for part in parts.values())


@pytest.mark.parametrize("name", CELLS)
def test_the_counts_of_cells_are_those_of_the_closed_form(name):
    sizes = {"side": 32, "classes": 10, "layers": 20, "channels": 36, "stem": "cifar"}
    found = oracle.network(ZOO[name], **sizes)
    assert of(name) == (str(found.parameters), str(found.multiply_adds))


def test_the_counts_of_other_networks_are_those_of_their_authors():
    assert {name: of(name) for name in OTHERS} == OTHERS
    assert set(OTHERS) | set(CELLS) == set(zoo.names())


def test_a_network_is_counted_by_building_it():
    assert page.count("DARTS_PTB_V1") == OTHERS["DARTS_PTB_V1"]


def training(folder: Path, genotype, error):
    folder.mkdir()
    result = {
        "genotype": genotype.to_dict(),
        "top1_error_percent": error,
        "dataset": "digits",
        "epochs": 3,
        "parameters": 1234,
    }
    (folder / "result.json").write_text(json.dumps(result))
    return folder


def test_a_training_gives_the_error_that_was_measured_here(tmp_path):
    folder = training(tmp_path / "run", zoo.get("DARTS_V2"), 12.345)
    found = {row["name"]: row for row in page.rows(ROWS, [folder])}
    assert found["DARTS_V2"]["error_here"] == "12.35"
    assert found["DARTS_V2"]["here_on"] == "digits, 3 epochs, 1,234 weights"
    assert "| 12.35, digits, 3 epochs, 1,234 weights " in page.markdown(found.values())
    again = {row["name"]: row for row in page.rows([*found.values()], [])}
    assert again == found


def test_the_network_with_weights_has_the_mean_error_of_its_record():
    record = json.loads((page.PRETRAINED / "digits.json").read_text())
    [row] = (row for row in ROWS if row["name"] == "DARTS_PLUS_DIGITS")
    assert float(row["error_here"]) == round(record["top1_error_percent"]["mean"], 2)
    assert row["here_on"].startswith("digits, 30 epochs")


def test_what_is_no_training_of_the_zoo_is_told(tmp_path):
    with pytest.raises(UserError, match="expected a finished training, got"):
        page.rows(ROWS, [tmp_path])
