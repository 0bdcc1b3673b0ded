"""Checkpoints: the loaded one is the latest undamaged one, bit for bit as it was saved.

If the bytes of some are damaged, the latest of the others is expected, or none if all are damaged.
If a forged payload has a valid checksum, the result is arrays of numbers, no more of them than the
payload has bytes for, or the checkpoint before. No code in a file is executed.
"""

from __future__ import annotations

import functools
import hashlib
import io
import pickle
import struct
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from darts_tf.runs.checkpoints import Checkpoint, Checkpoints
from darts_tf.runs.directory import RunDirectory
from tests.fuzzing.running import Kind
from tests.fuzzing.spoiling import spoilt_bytes

PLACES = ((1, 0), (1, 20), (2, 0))
MARKER = "ran"
_PREFIX = len("darts_tf checkpoint 1, SHA-256 ")
_START = _PREFIX + 64 + 1
_BOMB = 2**22  # bytes, from a few thousand
_NPY = b"\x93NUMPY"


class Runs:
    """An object that writes a file when it is unpickled."""

    def __reduce__(self) -> Any:
        return eval, (f"open({MARKER!r}, 'w').close()",)


def arrays(number: int) -> dict[str, np.ndarray]:
    """Returns the saved arrays, of several dtypes and shapes."""
    return {
        "0 kernel": np.arange(6, dtype=np.float32).reshape(3, 2) / 7 + number,
        "1 iterations": np.array(2**40 + number),
        "2 none": np.zeros((0, 4)),
        "3 odd": np.array([np.nan, -0.0, np.inf]),
    }


@functools.cache
def saved() -> tuple[bytes, ...]:
    """Returns the bytes of a saved checkpoint for each of `PLACES`."""
    with tempfile.TemporaryDirectory() as folder:
        checkpoints = Checkpoints(RunDirectory(folder, "search"))
        pairs = enumerate(PLACES)
        files = [checkpoints.save(Checkpoint(*place, arrays(n))) for n, place in pairs]
        return tuple(file.read_bytes() for file in files)


def with_checksum(payload: bytes) -> bytes:
    """Returns a file with a payload and its valid checksum."""
    digest = hashlib.sha256(payload).hexdigest().encode()
    return saved()[0][:_PREFIX] + digest + b"\n" + payload


def archive(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    """Returns a zip archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as made:
        for name, content in members.items():
            made.writestr(zipfile.ZipInfo(name), content, compression)
    return file.getvalue()


def npy(array: Any, allow_pickle: bool = False) -> bytes:
    """Returns an array as an `.npy` file."""
    file = io.BytesIO()
    np.save(file, array, allow_pickle=allow_pickle)
    return file.getvalue()


def npy_of(header: str, body: bytes = b"\0" * 16, version: int = 1) -> bytes:
    """Returns an `.npy` file with a given header."""
    text = header.encode() + b"\n"
    length = struct.pack("<H" if version == 1 else "<I", len(text))
    return _NPY + bytes((version, 0)) + length + text + body


@functools.cache
def bombs() -> tuple[bytes, ...]:
    """Returns decompression bombs: small archives of large content."""
    zeros = npy(np.zeros(_BOMB, np.uint8))
    ways = (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    return tuple(archive({"a.npy": zeros}, way) for way in ways)


_DTYPES = st.sampled_from(
    (
        *("'<f4'", "'|O'", "'O'", "'<U2'", "'M8[s]'", "'|V8'", "'|V0'", "'|S0'", "'f16'", "'c8'"),
        *("[('a', '|O')]", "[('a', '<f4'), ('b', '<i8')]", "[]", "'bad'", "'<f4,|O'", "7", "None"),
        *("('<f4', (2, 2))", "'(4,)<f4'", "{'names': []}", "'<i99'", "'\\0'", "[('a',)]"),
    )
)
_SHAPES = st.sampled_from(
    (
        *(
            "()",
            "(2,)",
            "(4,)",
            "(-1,)",
            "(0, -1)",
            "(2**62,)",
            "(10**30,)",
            "(4611686018427387904, 4)",
        ),
        *(
            "(1.0,)",
            "(True,)",
            "'4'",
            "[4]",
            "None",
            "(" * 300 + ")" * 300,
            "(4" + ", 1" * 70 + ")",
        ),
        *("(9999999999,)", "(99999999999999,)", "(0,)", "(0, 9999999999999999999)", "(4L,)"),
    )
)
_HEADERS = st.builds(
    "{{'descr': {}, 'fortran_order': {}, 'shape': {}, }}".format,
    _DTYPES,
    st.sampled_from(("False", "True", "1", "None")),
    _SHAPES,
) | st.sampled_from(
    (
        *("", "{}", "[]", "{", "\0", "((((", "'", "{'descr': '<f4'}", "{1: {}}", "{[]: 1}", "é"),
        *("[" * 3000, "-" * 9000 + "1", "9" * 5000, "__import__('pathlib').Path('ran').touch()"),
        *("{'descr': open('ran', 'w'), 'fortran_order': False, 'shape': ()}", "x" * 60_000),
    )
)
_MEMBERS = (
    st.builds(npy_of, _HEADERS, st.binary(max_size=40), st.sampled_from((1, 2, 3, 4)))
    | st.sampled_from((npy(np.array([Runs()]), allow_pickle=True), pickle.dumps(Runs()), _NPY, b""))
    | st.sampled_from(tuple(arrays(0).values())).map(npy).flatmap(spoilt_bytes)
    | st.sampled_from((np.array(["text"]), np.array("2020-01-01", "M8[D]"), np.ones(3))).map(npy)
)
_NAMES = st.sampled_from(
    ("a.npy", "a", ".npy", "b.npy", "../a.npy", "a.npy.npy", "é.npy", "\ud7ff")
)


@st.composite
def _hostile(draw: Any) -> bytes:
    way = draw(st.integers(0, 3))
    if way == 0:
        payload = draw(spoilt_bytes(saved()[0][_START:], 3))
    elif way == 1:
        payload = draw(st.sampled_from(bombs()) | st.just(pickle.dumps(Runs())) | _MEMBERS)
    else:
        members = draw(st.dictionaries(_NAMES, _MEMBERS, min_size=1, max_size=3))
        payload = archive(members, draw(st.sampled_from((0, 0, 8))))
        payload = draw(spoilt_bytes(payload, 2)) if way == 3 else payload
    return with_checksum(payload)


@st.composite
def _inputs(draw: Any) -> tuple[tuple[str, bytes], ...]:
    given = []
    for content in saved():
        way = draw(st.sampled_from(("damaged", "damaged", "hostile")))
        changed = _hostile() if way == "hostile" else spoilt_bytes(content)
        given.append((way, draw(changed)))
    return tuple(given)


def check(folder: Path, given: tuple[tuple[str, bytes], ...]) -> bool:
    """Loads the latest of some checkpoints and checks the result."""
    run = RunDirectory(folder, "search")
    run.checkpoints.mkdir(exist_ok=True)
    for (epoch, step), (_, content) in zip(PLACES, given, strict=True):
        name = f"epoch-{epoch:05d}-step-{step:06d}.checkpoint"
        (run.checkpoints / name).write_bytes(content)
    found = Checkpoints(run).latest()
    assert not (folder / MARKER).exists()
    right = _right(given, found)
    if right is None:
        assert found is None
        return False
    assert found is not None
    assert (found.epoch, found.step) == PLACES[right]
    if given[right][1] == saved()[right]:
        _check_equal(found, arrays(right))
    else:
        _check_numbers(found, len(given[right][1]))
    return True


def _right(given: tuple[tuple[str, bytes], ...], found: Checkpoint | None) -> int | None:
    """Returns the number of the expected checkpoint, or None if none is valid."""
    for number in reversed(range(len(PLACES))):
        way, content = given[number]
        if content == saved()[number]:
            return number
        taken = found is not None and (found.epoch, found.step) == PLACES[number]
        if way == "hostile" and taken:
            return number
    return None


def _check_equal(found: Checkpoint, right: dict[str, np.ndarray]) -> None:
    assert list(found.arrays) == list(right)
    for name, array in right.items():
        same = found.arrays[name]
        assert (same.dtype, same.shape) == (array.dtype, array.shape)
        assert same.tobytes() == array.tobytes()


def _check_numbers(found: Checkpoint, size: int) -> None:
    for array in found.arrays.values():
        assert isinstance(array, np.ndarray)
        assert array.dtype.kind in "biufc"
    assert sum(array.nbytes for array in found.arrays.values()) <= size


KIND = Kind("checkpoints", _inputs(), check)
