"""Flag files: read as settings within their bounds, or refused.

Expected: each setting has its type and is within its bounds, has the value of its last line in the
file, and the flags that the settings write are read as the same settings. A file with a line that
is not a flag of the program is refused.
"""

from __future__ import annotations

import dataclasses
import math
import os
import re
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from darts_tf.command_line.parsing import parse
from darts_tf.config import RunConfig, SearchConfig, TrainingConfig, flag_lines
from tests.fuzzing.running import Kind, Refusal, outcome
from tests.fuzzing.spoiling import spoilt_bytes
from trainers import presets

CONFIGS: dict[str, type[RunConfig]] = {"search": SearchConfig, "train": TrainingConfig}
EXTRA = {"run_dir": "Where the run goes.", "genotype": "The cells."}
NAMES = sorted({field.name for kind in CONFIGS.values() for field in dataclasses.fields(kind)})
# 0 and -1 stand for a value that the settings look up.
RESOLVED = {"stem": "auto", "threads": "0", "cutout": "-1"}

_OWN_IMAGES = ["--dataset=image_folder:images", "--image_size=32", "--stem=auto"]
_PRESETS = {
    program: st.sampled_from(
        [[line for _, line in presets.lines(name, program)] for name in presets.names(program)]
    )
    for program in CONFIGS
}
_VALUES = (
    st.sampled_from(("0", "1", "-1", "true", "false", "t", "", "none", "both", "auto", "first"))
    | st.sampled_from(("1e400", "-1e400", "nan", "inf", "1_0", "٣", "0x10", "1e-400", " 7", "+7"))
    | st.sampled_from(
        ("9" * 18, "9" * 400, "9" * 4300, "9" * 4301, "-" + "9" * 400, "0." + "9" * 400)
    )
    | st.sampled_from(("image_folder:", "image_folder:images", "image_folder:~nobody-here/x"))
    | st.sampled_from(("image_folder:" + "x" * 300, "image_folder:none", "digits", "imagenet"))
    | st.sampled_from(
        ("10,20", "20,10", "9" * 19 + ",0", "200steps", "0steps", "5 epochs", "mirrored")
    )
    | st.integers().map(str)
    | st.floats().map(repr)
    | st.text(st.characters(codec="utf-8"), max_size=8)
)
_ODD = st.sampled_from(
    (
        *("--", "-", "---", "--=", "--=1", "-=1", "--no", "--flagfile", "--flagfile=digits.flags"),
        *("-flagfile=my.flags", "--flagfile my.flags", "--undefok=what", "--undefok", "--help"),
        *("-h", "--helpfull", "--help=1", "--verbosity=1", "# --seed=1", "epochs=3", "--epochs 3"),
        *(
            "--noepochs",
            "--nojit_compile",
            "--jit_compile",
            "--nojit_compile=1",
            "-seed=3",
            "--sed=3",
        ),
        *("\ufeff--seed=1", "--seed=1 # note", "--seed=1\0", "--SEED=1", "//", "/* */", "--what=1"),
    )
)


@st.composite
def _inputs(draw: Any) -> tuple[str, bytes]:
    program = draw(st.sampled_from(tuple(CONFIGS)))
    lines = list(draw(_PRESETS[program] | st.just(_OWN_IMAGES) | st.just([])))
    for _ in range(draw(st.sampled_from((1, 1, 1, 0, 2, 4)))):
        flag = st.builds("--{}={}".format, st.sampled_from((*NAMES, *EXTRA)), _VALUES)
        place = draw(st.integers(0, len(lines)))
        if draw(st.booleans()) and place < len(lines):
            name, _, _ = lines[place].partition("=")
            given = _VALUES.map(f"{name}={{}}".format)
            lines[place] = draw(given | given | given | _ODD)
        else:
            lines.insert(place, draw(flag | flag | flag | _ODD))
    end = draw(st.sampled_from(("\n", "\n", "\r\n", "\r", "\n\n")))
    content = end.join(lines).encode()
    if draw(st.integers(0, 2)) == 0:
        content = draw(spoilt_bytes(content))
    return program, content


def check(folder: Path, given: tuple[str, bytes]) -> bool:
    """Reads a flag file, and the flags that its settings write."""
    program, content = given
    _make_images(folder)
    file = folder / "my.flags"
    file.write_bytes(content)
    found = outcome(_read, program, "my.flags")
    if isinstance(found, Refusal):
        return False
    config, _ = found
    for field in dataclasses.fields(config):
        _check_bounds(field, getattr(config, field.name))
    _check_values(config, content.decode("utf-8-sig", errors="surrogateescape"))
    file.write_bytes(os.fsencode("\n".join(flag_lines(config))))
    again, _ = _read(program, "my.flags")
    recorded = {f.name for f in dataclasses.fields(config) if f.metadata["recorded"]}
    assert all(getattr(again, name) == getattr(config, name) for name in recorded)
    return True


def _read(program: str, name: str) -> Any:
    arguments = [f"--flagfile={name}"]
    return parse(
        arguments, CONFIGS[program], "About.", extra=EXTRA, presets=presets.folder(program)
    )


def _make_images(folder: Path) -> None:
    if (folder / "images").exists():
        return
    for kind in ("cat", "dog"):
        (folder / "images" / kind).mkdir(parents=True)
        for number in range(6):
            (folder / "images" / kind / f"{number}.png").touch()


def _check_bounds(field: dataclasses.Field[Any], value: Any) -> None:
    bounds = field.metadata["bounds"]
    assert type(value) is type(field.default)
    if isinstance(value, float):
        assert math.isfinite(value)
    if "at least" in bounds:
        assert value >= bounds["at least"]
    if "at most" in bounds:
        assert value <= bounds["at most"]
    if "above" in bounds:
        assert value > bounds["above"]
    if "below" in bounds:
        assert value < bounds["below"]
    if field.metadata["choices"]:
        assert value in field.metadata["choices"]


def _check_values(config: RunConfig, text: str) -> None:
    """Compares settings with the lines of the file, of which the last one for a setting counts."""
    said: dict[str, str | None] = {}
    fields = {field.name: field for field in dataclasses.fields(config)}
    for line in text.splitlines():
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        match = re.fullmatch(r"--?(\w+)(?:=(.*))?", line)
        assert match, f"no flag, but read: {line!r}"
        name = match[1] if match[1] in fields else match[1].removeprefix("no")
        assert name in fields or name in EXTRA, f"no flag, but read: {line!r}"
        said[name] = match[2] if name == match[1] else "false"
    for name, word in said.items():
        if name in EXTRA or RESOLVED.get(name) == word:
            continue
        kind = type(fields[name].default)
        if kind is bool:
            right: Any = word is None or word.lower() in ("true", "t", "1")
        else:
            assert word is not None
            right = kind(word)
        if name in RESOLVED and right == kind(RESOLVED[name]):
            continue
        assert getattr(config, name) == right, name


KIND = Kind("flag files", _inputs(), check)
