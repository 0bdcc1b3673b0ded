"""Extras: what the library imports for one is what pyproject.toml names for it."""

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from darts_tf import extras
from darts_tf.errors import UserError

PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"
EXTRAS = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["optional-dependencies"]


def names(requirements):
    return {Requirement(text).name for text in requirements}


def test_an_extra_brings_what_is_imported_for_it():
    for extra, imported in extras.IMPORTED.items():
        assert set(imported.values()) <= names(EXTRAS[extra])


def test_all_is_every_extra_but_those_of_gpus_documentation_and_services():
    apart = {"all", "gpu", "docs", "mlflow", "wandb"}
    [everything] = map(Requirement, EXTRAS["all"])
    assert everything.name == "darts_tf"
    assert everything.extras == EXTRAS.keys() - apart


def test_only_what_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(extras.IMPORTED, "odd", {"json": "json", "no_such_package": "no-such"})
    expected = 'the package no-such, which pip install "darts_tf[odd]" installs'
    assert extras.missing("odd") == expected
    with pytest.raises(UserError) as told:
        extras.require("odd")
    assert str(told.value) == f"expected {expected}"
    monkeypatch.setitem(extras.IMPORTED, "odd", {"no_a": "no-a", "json": "json", "no_b": "no-b"})
    assert extras.missing("odd").startswith("the packages no-a and no-b, which")
    monkeypatch.setitem(extras.IMPORTED, "odd", {"json": "json"})
    assert not extras.missing("odd")
    extras.require("odd")
