"""Extras: what the library imports for one is what pyproject.toml names for it."""

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from darts_tf.errors import UserError
from darts_tf.exporting import extras

PROJECT = Path(__file__).resolve().parents[3] / "pyproject.toml"


def test_an_extra_brings_what_is_imported_for_it():
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    for extra, imported in extras.IMPORTED.items():
        brought = {Requirement(text).name for text in project["optional-dependencies"][extra]}
        assert set(imported) <= brought


def test_only_what_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(extras.IMPORTED, "odd", ("json", "no_such_package"))
    with pytest.raises(UserError, match=r'^expected no_such_package to be.*"darts_tf\[odd\]"'):
        extras.require("odd")
    monkeypatch.setitem(extras.IMPORTED, "odd", ("json",))
    extras.require("odd")
