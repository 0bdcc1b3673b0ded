"""Genotype files: read correctly and in the same way by every reader, or refused.

Expected: a text is read if its JSON is a valid genotype (`tests.genotype_rules`), and refused
otherwise; the genotype has the fields of the JSON; written and read again, it is the same. Nesting
near the recursion limit may be refused or not.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from darts_tf.spaces import zoo
from darts_tf.spaces.genotype import CELLS, STAGED_CELLS, read_genotype
from tests.fuzzing.running import Kind, Refusal, outcome
from tests.fuzzing.spoiling import FRAGMENTS, JSON, spoilt_bytes, spoilt_json
from tests.genotype_rules import OPERATIONS, is_valid, shortest
from trainers.genotypes import chosen as genotype_of_flag

SHALLOW = 200  # brackets


@st.composite
def _cell(draw: Any, slack: int = 0) -> tuple[list[list[Any]], list[int]]:
    nodes = draw(st.integers(1, 5))
    edges = [
        [draw(st.sampled_from(OPERATIONS)), draw(st.integers(-slack, node - 1 + slack))]
        for node in range(2, nodes + 2)
        for _ in range(2)
    ]
    return edges, draw(
        st.lists(st.integers(2 - slack, nodes + 1 + slack), unique=not slack, min_size=1)
    )


@st.composite
def _made(draw: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for cell in draw(st.sampled_from((CELLS, STAGED_CELLS))):
        # A node too far, now and then.
        slack = draw(st.sampled_from((0, 0, 0, 1)))
        found[cell], found[f"{cell}_concat"] = draw(_cell(slack))
    return found


def _published(name: str) -> dict[str, Any]:
    return json.loads(zoo.get(name).to_json())


OF_DARTS_FORM = [name for name in zoo.names() if zoo.get(name).space == "darts"]
VALID = st.sampled_from(OF_DARTS_FORM).map(_published) | _made()
VALID |= VALID.map(lambda found: {"genotype": found, "epoch": 3, "reason": "Criterion 1"})
PARTS = JSON | st.sampled_from((*OPERATIONS, "sep_conv_3x4")) | _cell().map(list)
_SPOILT = VALID.flatmap(lambda found: spoilt_json(found, PARTS))
TEXTS = (
    _SPOILT
    | VALID.flatmap(lambda found: spoilt_bytes(json.dumps(found).encode()))
    | st.lists(st.sampled_from(FRAGMENTS) | st.binary(max_size=6), max_size=8).map(b"".join)
)
# What no JSON holds, for whoever calls the library.
OBJECTS = (
    st.binary(max_size=5)
    | st.sampled_from((1j, {1, 2}, frozenset(), object, np.int64(1), np.zeros(2), 10**4000))
    | st.lists(st.tuples(st.sampled_from(OPERATIONS), st.integers(0, 2)), max_size=4).map(tuple)
    | st.dictionaries(st.integers() | st.none() | st.tuples(), st.none(), max_size=2)
)


@st.composite
def _values(draw: Any) -> dict[Any, Any]:
    found = dict(draw(VALID))
    found[draw(st.sampled_from((*found, "genotype", "normal_1")))] = draw(OBJECTS | JSON)
    return found


def right(found: Any) -> dict[str, Any] | None:
    """Returns the fields of the genotype in JSON, or None if it is not one."""
    found = found["genotype"] if isinstance(found, dict) and "genotype" in found else found
    if not isinstance(found, dict):
        return None
    cells = STAGED_CELLS if any(cell in found for cell in STAGED_CELLS) else CELLS
    names = [name for cell in cells for name in (cell, f"{cell}_concat")]
    if not is_valid(found, cells):
        return None
    return shortest({name: found[name] for name in names}, cells)


def check(folder: Path, given: Any) -> bool:
    """Reads a genotype as a file, as a flag, as text and as a value."""
    if not isinstance(given, bytes):
        genotype = outcome(read_genotype, given)
        if isinstance(genotype, Refusal):
            return False
        assert read_genotype(genotype.to_json()) == genotype
        return True
    file = folder / "genotype.json"
    file.write_bytes(given)
    read = _checked(given.decode(errors="replace"), genotype_of_flag, str(file))
    text = given.decode(errors="surrogateescape")
    _checked(text, read_genotype, text)
    if text.lstrip().startswith("{"):
        _checked(text, genotype_of_flag, text)
    return read


def _checked(text: str, read: Any, argument: str) -> bool:
    """Returns whether a reader accepts a text."""
    genotype = outcome(read, argument)
    refused = isinstance(genotype, Refusal)
    if not refused:
        assert read_genotype(genotype.to_json()) == genotype
    if text.count("[") + text.count("{") > SHALLOW:
        return not refused
    try:
        fields = right(json.loads(text))
    except ValueError:
        fields = None
    assert refused == (fields is None)
    if not refused:
        assert json.loads(genotype.to_json()) == fields
    return not refused


KIND = Kind("genotypes", TEXTS | _values() | OBJECTS, check)
