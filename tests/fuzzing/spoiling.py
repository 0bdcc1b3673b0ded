"""Random corruption of file contents: of bytes, and of JSON before it is written."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import strategies as st

# Each means something to a reader of JSON, of text or of lines, or is too much for it.
FRAGMENTS = (
    *(b"\0", b"\n", b"\r", b"\r\n", b"\x0c", b"\x85", b'"', b"\\", b"{", b"}", b"[", b"]"),
    *(b",", b":", b"-", b"=", b"#", b"--", b"\xef\xbb\xbf", b"\xff", b"\xfe\xff", b"\xed\xa0\x80"),
    *(b"\xe2\x80\xa8", b"\\ud800", b'"\\udcff"', b"NaN", b"-Infinity", b"1e999", b"1E400"),
    *(b"9" * 4000, b"9" * 5000, b"0.", b"true", b"null", b"[" * 900, b"[" * 5000, b'{"a":' * 900),
)
DEPTHS = st.integers(1, 60) | st.integers(200, 1100) | st.sampled_from((3000, 100_000))
# What stands in JSON for values that are too deep or too large for `json.dumps`.
_DEEP_LIST, _DEEP_OBJECT, _DIGITS = "<lists>", "<objects>", "<digits>"

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-2, 9)
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=6)
    | st.sampled_from(("\ud800", "\udcff", "\0", "\u2028", "x" * 1000, 10**400, -(2**63), 2**64))
    | st.sampled_from((_DEEP_LIST, _DEEP_OBJECT, _DIGITS))
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def spoilt_bytes(draw: Any, whole: bytes, most: int = 4) -> bytes:
    """Returns bytes with a number of random flips, cuts, insertions, removals and repetitions."""
    content = bytearray(whole)
    for _ in range(draw(st.integers(0, most))):
        place = draw(st.integers(0, len(content)))
        length = draw(st.integers(1, 8) | st.integers(1, 400))
        way = draw(st.sampled_from(("flip", "flip", "set", "cut", "insert", "remove", "repeat")))
        if way == "flip" and place < len(content):
            content[place] ^= 1 << draw(st.integers(0, 7))
        elif way == "set":
            content[place : place + 1] = draw(st.binary(min_size=1, max_size=1))
        elif way == "cut":
            del content[place:]
        elif way == "insert":
            content[place:place] = draw(st.sampled_from(FRAGMENTS) | st.binary(max_size=8))
        elif way == "remove":
            del content[place : place + length]
        elif way == "repeat":
            start = draw(st.integers(0, len(content)))
            content[place:place] = content[start : start + length]
    return bytes(content)


@st.composite
def spoilt_json(draw: Any, value: Any, leaves: st.SearchStrategy[Any] = JSON) -> bytes:
    """Returns JSON text with up to three parts replaced, removed, duplicated or extended."""
    holder = [copy.deepcopy(value)]
    for _ in range(draw(st.sampled_from((1, 1, 1, 0, 2, 3)))):
        _spoil(draw, holder, leaves)
    value = holder[0] if holder else None
    text = json.dumps(value, indent=draw(st.sampled_from((None, None, 1))))
    depth = draw(DEPTHS)
    text = text.replace(f'"{_DEEP_LIST}"', "[" * depth + "]" * depth)
    text = text.replace(f'"{_DEEP_OBJECT}"', '{"a":' * depth + "1" + "}" * depth)
    text = text.replace(f'"{_DIGITS}"', "9" * draw(st.sampled_from((400, 4299, 4301, 6000))))
    return text.encode("utf-8", errors="surrogatepass")


def _spoil(draw: Any, holder: Any, leaves: st.SearchStrategy[Any]) -> None:
    """Corrupts one item at any depth of `holder`."""
    place = holder
    while True:
        if not place:
            return
        keys = sorted(place) if isinstance(place, dict) else range(len(place))
        key = draw(st.sampled_from(keys))
        if not isinstance(place[key], dict | list) or draw(st.integers(0, 4)) == 0:
            break
        place = place[key]
    way = draw(st.sampled_from(("nudge", "nudge", "replace", "replace", "drop", "add")))
    if way == "nudge" and isinstance(place[key], int | float):
        place[key] += draw(st.sampled_from((-1, 1, 2)))
    elif way in ("nudge", "replace"):
        place[key] = draw(leaves)
    elif way == "drop":
        del place[key]
    elif isinstance(place, list):
        place.insert(key, draw(leaves | st.just(copy.deepcopy(place[key]))))
    else:
        place[draw(st.text(max_size=3))] = draw(leaves)
