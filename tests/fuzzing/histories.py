"""Histories: read as their records, or refused; consistent after every write.

Expected: reading returns the JSON of the terminated lines; a record has the values of its line;
resuming keeps the lines before the epoch, and a refusal to resume does not change the file; adding
a line keeps the terminated ones. Afterwards the file consists of terminated lines.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.history import EpochRecord
from darts_tf.spaces import zoo
from tests.fuzzing.running import Kind, Refusal, outcome
from tests.fuzzing.spoiling import FRAGMENTS, JSON, spoilt_bytes, spoilt_json

SHALLOW = 200  # brackets; deeper nesting may be refused or not
_NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
_COUNTS = st.integers(0, 10**6)
_ROWS = st.lists(st.lists(_NUMBERS, min_size=1, max_size=3), min_size=1, max_size=3)
_NAMES = st.lists(st.lists(st.text(max_size=3), max_size=3), max_size=3)
_CELLS = ("normal", "reduce")


def _by_cell(values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(dict.fromkeys(_CELLS, values))


# Every field of a record.
FIELDS = {
    "epoch": _COUNTS,
    "alphas": _by_cell(_ROWS),
    "skip_connects": _by_cell(_COUNTS),
    "stable_epochs": _by_cell(st.lists(_COUNTS, max_size=3)),
    "genotype": st.none() | st.sampled_from(zoo.names()).map(zoo.get),
    "train_loss": st.none() | _NUMBERS,
    "train_accuracy": st.none() | _NUMBERS,
    "valid_loss": st.none() | _NUMBERS,
    "valid_accuracy": st.none() | _NUMBERS,
    "learning_rate": st.none() | _NUMBERS,
    "timing": st.fixed_dictionaries({"seconds": _NUMBERS}),
    "strengths": st.none() | _by_cell(_ROWS),
    "stage": _COUNTS,
    "measures": st.dictionaries(st.text(max_size=3), _NUMBERS, max_size=2),
    "kept": st.none() | _by_cell(_NAMES),
    "moved": st.none() | _by_cell(_NUMBERS),
    "noise": st.none() | _by_cell(_NUMBERS),
    "counts_from": st.none() | _by_cell(_COUNTS),
}


def _line(record: EpochRecord) -> dict[str, Any]:
    return json.loads(json.dumps(record.to_dict()))


_TRAINING = st.fixed_dictionaries({"epoch": _COUNTS, "loss": _NUMBERS, "timing": st.just({})})
RECORDS = st.builds(EpochRecord, **FIELDS)
LINES = RECORDS.map(_line) | _TRAINING
WHOLE = st.lists(LINES.map(lambda line: json.dumps(line).encode()), max_size=4)
SPOILT = st.lists(LINES.flatmap(spoilt_json), min_size=1, max_size=4)
FILES = (
    SPOILT.map(lambda lines: b"".join(line.replace(b"\n", b" ") + b"\n" for line in lines))
    | WHOLE.map(lambda lines: b"".join(line + b"\n" for line in lines)).flatmap(spoilt_bytes)
    | WHOLE.map(b"\r\n".join).flatmap(spoilt_bytes)
    | st.lists(st.sampled_from(FRAGMENTS) | st.binary(max_size=6), max_size=8).map(b"".join)
)
INPUTS = st.tuples(FILES, st.integers(0, 5), LINES | st.dictionaries(st.text(), JSON, max_size=2))


def check(folder: Path, given: tuple[bytes, int, dict[str, Any]]) -> bool:
    """Reads a history, resumes it, and adds a line."""
    content, epoch, line = given
    run = RunDirectory(folder, "search")
    run.history.write_bytes(content)
    lines = outcome(run.read_history)
    right = _right(content)
    if isinstance(lines, Refusal):
        assert right is None or max(map(content.count, (b"[", b"{"))) > SHALLOW
    else:
        assert _same(lines, right)
        for found in lines:
            _check_record(found)
    _check_resuming(run, content, epoch, lines)
    _check_adding(run, line)
    return not isinstance(lines, Refusal)


def _right(content: bytes) -> list[Any] | None:
    """Returns the JSON of the terminated lines, or None if one is not an object."""
    *lines, _ = content.decode(errors="surrogateescape").split("\n")
    try:
        found = [json.loads(line) for line in lines]
    except (ValueError, RecursionError):
        return None
    return found if all(isinstance(line, dict) for line in found) else None


def _check_record(line: dict[str, Any]) -> None:
    record = outcome(EpochRecord.from_dict, line)
    if not isinstance(record, Refusal):
        values = json.loads(json.dumps(record.to_dict()))
        assert EpochRecord.from_dict(values) == record
        genotypes = [found.pop("genotype") for found in (values, dict(line))]
        assert (genotypes[0] is None) == (genotypes[1] is None)
        assert values == {name: line[name] for name in values}


def _check_resuming(run: RunDirectory, content: bytes, epoch: int, lines: Any) -> None:
    kept = outcome(run.resume, epoch)
    if isinstance(kept, Refusal):
        assert run.history.read_bytes() == content
    else:
        assert _same(kept, lines[:epoch])
        written = run.history.read_bytes()
        assert _same([json.loads(line) for line in written.splitlines()], kept)
        assert not written or written.endswith(b"\n")
    assert [path.name for path in run.path.iterdir()] == [run.history.name]


def _check_adding(run: RunDirectory, line: dict[str, Any]) -> None:
    before = run.history.read_bytes()
    lines = outcome(run.read_history)
    added = outcome(run.append_history, line)
    after = run.history.read_bytes()
    if isinstance(added, Refusal):
        assert after == before
        return
    whole = before[: before.rfind(b"\n") + 1]
    assert after.startswith(whole)
    assert after.endswith(b"\n")
    assert after.count(b"\n") == whole.count(b"\n") + 1
    if not isinstance(lines, Refusal):
        assert _same(run.read_history(), [*lines, line])


def _same(found: Any, right: Any) -> bool:
    """Whether two values of JSON are the same, to the bit; NaN equals itself."""
    if isinstance(found, float) and isinstance(right, float):
        return repr(found) == repr(right) and (math.isnan(found) == math.isnan(right))
    return json.dumps(found) == json.dumps(right)


KIND = Kind("histories", INPUTS, check)
