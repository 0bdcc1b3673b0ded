"""The help of a program: a first screen with the flags that most runs need, and a page of all."""

import re
import textwrap
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

FULL = {"--helpfull", "-helpfull"}
HELP = {"--help", "-help", "-h", *FULL}
FILES, OWN, PLUGS = "files", "program", "plugs"
# By group the names of flags, where * stands for any letters. What is in none is the program's own.
GROUPS = {
    FILES: (),
    OWN: (),
    "data": (
        *("dataset", "data_dir", "download", "image_size", "stem", "skip_damaged"),
        *("portions_by", "train_portion", "valid_portion", "held_out", "benchmark_dir"),
    ),
    "search": (*("method", "space", "arch_*", "weights_first", "share_alphas", "cost", "cost_*"),),
    "stopping": ("stop_criterion", "stop_*", "stable_*", "min_epochs"),
    "sizes": ("epochs", "batch_size", "layers", "init_channels"),
    "weights": (
        *("learning_rate", "learning_rate_min", "cosine_by", "warmup_epochs", "momentum"),
        *("nesterov", "weight_decay", "grad_clip", "initial_model"),
    ),
    "noise": (
        *("auxiliary_weight", "drop_path", "padding", "cutout", "auto_augment", "mixup"),
        *("label_smoothing", "squeeze_excite"),
    ),
    "texts": ("text_*",),
    "network": ("network_*",),
    "devices": (
        *("strategy", "threads", "mixed_precision", "jit_compile", "sync_batch_norm"),
        *("recompute", "worker_timeout", "profile_steps"),
    ),
    "run": ("seed", "repeats", "extend", "checkpoint_every", "logger"),
    PLUGS: (),
}
_HEADINGS = {
    FILES: "Files",
    OWN: "This program",
    "data": "Data",
    "search": "Search",
    "stopping": "Early stopping",
    "sizes": "Sizes",
    "weights": "Training of the weights",
    "noise": "Regularization and augmentation",
    "texts": "Texts",
    "network": "Networks of the cells that are found",
    "devices": "Devices",
    "run": "The run",
    PLUGS: "Settings of the chosen plugs",
}
# The first screen of a program with many flags has these, and those of its own, as far as they fit.
_MAIN = (
    *("dataset", "method", "space", "stop_criterion", "epochs", "batch_size", "layers"),
    *("init_channels", "seed", "strategy", "data_dir", "learning_rate"),
)
_SCREEN, _WIDTH, _FLAG = 24, 79, 30


class Row(NamedTuple):
    """A flag.

    Attributes:
        name: Its name, without dashes.
        default: Its default.
        text: What it means.
        group: A key of `GROUPS`.
        choices: Its values, where these are known; () otherwise.
    """

    name: str
    default: Any
    text: str
    group: str
    choices: tuple[str, ...] = ()

    @property
    def usage(self) -> str:
        """The flag with its default, as it is written."""
        value = str(self.default).lower() if isinstance(self.default, bool) else self.default
        return f"--{self.name}={value}"


class Helped(SystemExit):
    """The end of a program that was asked for help, with status 0.

    Attributes:
        rows: Its flags.
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        super().__init__(0)
        self.rows = tuple(rows)


def group_of(name: str) -> str:
    """Returns the group of a setting's flag.

    Example:
        >>> group_of("arch_order"), group_of("network_epochs"), group_of("trials")
        ('search', 'network', 'program')

    Args:
        name: Its name.
    """
    for group, patterns in GROUPS.items():
        if any(fnmatchcase(name, pattern) for pattern in patterns):
            return group
    return OWN


def first_screen(about: str, rows: Sequence[Row]) -> str:
    """Returns a help of at most 24 lines of 79 letters.

    Args:
        about: The docstring of the program: what it does, and how it is started.
        rows: Its flags.
    """
    title, _, rest = about.strip().partition("\n")
    usage = [line for line in rest.splitlines() if line.startswith("    ")]
    top = [
        *textwrap.wrap(title, _WIDTH),
        "",
        *(part for line in usage for part in _wrapped(line)),
        *[""] * bool(usage),
    ]
    shown = _most_needed(rows, _SCREEN - len(top) - 2)
    names = max(len(row.group) for row in shown)
    flags = min(_FLAG, max(len(row.usage) for row in shown))
    lines = list(top)
    before = ""
    for row in shown:
        group = "" if row.group == before else row.group
        flag = row.usage if len(row.usage) <= flags else f"{row.usage[: flags - 3]}..."
        start = f"{group:<{names}}  {flag:<{flags}}  "
        lines.append(f"{start}{_cut(row.text, _WIDTH - len(start))}".rstrip())
        before = row.group
    return "\n".join([*lines, "", f"--helpfull explains all {len(rows)} flags."])


def full(about: str, rows: Sequence[Row]) -> str:
    """Returns the help with all flags by group, their defaults and their texts.

    Args:
        about: As for `first_screen`.
        rows: Likewise.
    """
    parts = [about.strip(), "", "Flags, with their defaults:"]
    for name, of_group in _grouped(rows):
        parts += ["", f"{_HEADINGS[name]}:", ""]
        for row in of_group:
            text = textwrap.fill(row.text, 90)
            parts += [f"  {row.usage}", textwrap.indent(text, " " * 6)]
    return "\n".join(parts)


def _grouped(rows: Sequence[Row]) -> Iterator[tuple[str, list[Row]]]:
    for group in GROUPS:
        if of_group := [row for row in rows if row.group == group]:
            yield group, of_group


def _most_needed(rows: Sequence[Row], most: int) -> list[Row]:
    """Returns the flags for the first screen, by group; all of them if there is room."""
    if len(rows) > most:
        first = [row for row in rows if row.group in (FILES, OWN)]
        by_name = {row.name: row for row in rows}
        first += [by_name[name] for name in _MAIN if name in by_name]
        rows = list(dict.fromkeys(first))[:most]
    return [row for _, of_group in _grouped(rows) for row in of_group]


def _wrapped(line: str) -> list[str]:
    inner = textwrap.wrap(line.strip(), _WIDTH - 8, break_on_hyphens=False, break_long_words=False)
    return [f"{'    ' if number == 0 else '        '}{part}" for number, part in enumerate(inner)]


def _cut(text: str, width: int) -> str:
    """Returns the beginning of a text, to its first full stop or semicolon, cut to a width."""
    beginning = re.split(r"[.;] |\.$", text)[0]
    needed = ", required" if text.endswith("Required.") else ""
    return textwrap.shorten(beginning, width - len(needed), placeholder=" ...") + needed
