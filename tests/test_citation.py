"""CITATION.cff against the Citation File Format 1.2.0, and against the package."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

import darts_tf

TREE = Path(__file__).resolve().parents[1]
FILE = TREE / "CITATION.cff"
REQUIRED = {"authors", "cff-version", "message", "title"}
OPTIONAL = {"abstract", "date-released", "keywords", "license", "references", "type", "version"}
REFERENCE = {"authors", "conference", "identifiers", "title", "type", "year"}
IDENTIFIERS = {"doi", "other", "swh", "url"}

pytestmark = pytest.mark.skipif(not FILE.exists(), reason="there is no tree here")


@pytest.fixture(scope="module")
def citation() -> dict[str, Any]:
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


def check_authors(authors: list[dict[str, str]]) -> None:
    """Each is an entity with a name, or a person."""
    assert authors
    assert all(
        set(one) <= {"name"} or set(one) <= {"family-names", "given-names"} for one in authors
    )


def test_it_has_what_the_format_requires_and_nothing_else(citation: dict[str, Any]) -> None:
    assert REQUIRED <= set(citation) <= REQUIRED | OPTIONAL
    assert citation["cff-version"] == "1.2.0"
    assert citation["type"] in {"software", "dataset"}
    check_authors(citation["authors"])
    assert all(isinstance(word, str) for word in citation["keywords"])
    # A date that YAML does not read as one, as the schema wants it.
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", citation["date-released"])
    assert dt.date.fromisoformat(citation["date-released"])


def test_its_references_have_what_the_format_requires(citation: dict[str, Any]) -> None:
    for reference in citation["references"]:
        assert {"authors", "title", "type"} <= set(reference) <= REFERENCE
        check_authors(reference["authors"])
        assert isinstance(reference["year"], int)
        assert {one["type"] for one in reference["identifiers"]} <= IDENTIFIERS


def test_version_and_license_are_those_of_the_package(citation: dict[str, Any]) -> None:
    project = tomllib.loads((TREE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert citation["version"] == darts_tf.__version__
    assert citation["license"] == project["license"]


def test_the_changelog_is_newest_first_and_has_the_date_of_this_release(
    citation: dict[str, Any],
) -> None:
    text = (TREE / "CHANGELOG.md").read_text(encoding="utf-8")
    releases = re.findall(r"^## (\d+)\.(\d+)\.(\d+) \((.*)\)$", text, re.MULTILINE)
    assert len(releases) == len(re.findall(r"^## ", text, re.MULTILINE))
    numbers = [tuple(map(int, release[:3])) for release in releases]
    assert numbers == sorted(numbers, reverse=True)
    dates = [release[3] for release in releases if release[3] != "unreleased"]
    assert dates == sorted(dates, reverse=True)
    assert f"## {citation['version']} ({citation['date-released']})" in text
