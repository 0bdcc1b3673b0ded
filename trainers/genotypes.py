"""Genotypes on the command line: parsing, printing, and the command that trains their network."""

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from darts_tf import spaces
from darts_tf.command_line.invocation import spelled
from darts_tf.config import RunConfig, SearchConfig, TrainingConfig, flag_lines
from darts_tf.errors import UserError, nearest, short
from darts_tf.report.pictures.text import as_text
from darts_tf.runs.search_log import read_search_log
from darts_tf.spaces import foreign, zoo
from darts_tf.spaces.genotype import Genotype, read_genotype
from darts_tf.spaces.sampling import random_genotype
from darts_tf.tuning.config import RandomSearchConfig
from trainers import presets

_LONGEST = 200  # characters of a path in a message
TEXT = (
    "A genotype.json, JSON, what DARTS or NNI print, SPACE:SEED for a random one, such as "
    f"rand_wire_small:0, or a published genotype: {', '.join(zoo.names())}. Required."
)

# The settings that a training copies from the search before it, and those that it scales.
ALIKE = (
    "dataset",
    "data_dir",
    "image_size",
    "skip_damaged",
    "stem",
    "seed",
    "threads",
    "strategy",
    "mixed_precision",
    "jit_compile",
    "sync_batch_norm",
    "text_bptt",
    "text_embedding_dropout",
    "text_input_dropout",
    "text_hidden_dropout",
    "text_output_dropout",
)
_CONFIGS: Mapping[str, type[RunConfig]] = {
    "search": SearchConfig,
    "random_search": RandomSearchConfig,
}
SIZES = ("epochs", "batch_size", "layers", "init_channels")
# A search of so few epochs tries whether everything works, and a training of as many does, too.
_TRIAL = 2
_FEWEST = {"epochs": _TRIAL, "layers": 3}


def chosen(given: str) -> Genotype:
    """Returns the genotype of the flag `--genotype`.

    Args:
        given: The name of a published genotype; the name of a space, a colon and the seed of a
            random genotype; a text that `read_genotype` reads, such as JSON or DARTS's Python call;
            or the path of a file with one, such as the genotype.json of a search.

    Raises:
        UserError: If it is none of these.
    """
    published = zoo.names()
    if not given:
        raise UserError(
            f"--genotype: expected a genotype.json, JSON or a published genotype, got nothing. "
            f"Published: {', '.join(published)}"
        )
    if given in published:
        return zoo.get(given)
    space, _, seed = given.rpartition(":")
    if space in spaces.names() and seed.isdecimal():
        return random_genotype(space, np.random.default_rng(int(seed)))
    if foreign.is_text(given):
        return _read("--genotype", given)
    try:
        text = Path(given).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        raise UserError(
            f"--genotype={_shorten(given)}: no such file, and no published genotype."
            f"{nearest(given, published)} Published: {', '.join(published)}"
        ) from None
    except (OSError, ValueError) as error:  # a name with a zero byte is a ValueError
        reason = getattr(error, "strerror", None) or error
        raise UserError(
            f"--genotype={_shorten(given)}: {reason}; expected a file such as genotype.json"
        ) from error
    try:
        return _read(f"--genotype={_shorten(given)}", text)
    except UserError:
        _refuse_log(given)
        raise


def _refuse_log(path: str) -> None:
    """Refuses the log of a search, whose genotypes are those of its epochs."""
    try:
        last = read_search_log(path)[-1].epoch
    except UserError:
        return
    pick = spelled(f"python -m trainers.genotype {shlex.quote(path)} --epoch={last}")
    raise UserError(
        f"--genotype={_shorten(path)}: expected one genotype, got the log of a search with several;"
        f' --genotype="$({pick})" takes that of an epoch'
    )


def training_command(path: Path, config: RunConfig | Mapping[str, str], program: str) -> str:
    """Returns the command that trains the network of the genotype of a search.

    It names a preset and what departs from it: data, devices and seed are those of the search, and
    depth, width, epochs and batch size are to the preset of the training as those of the search are
    to the preset of the search. Without a preset, the defaults take its place. After a search of
    one or two epochs, the training has as many. Where the genotype has the depth of its network,
    that is the search's, and so is the width of a chain of blocks.

    Args:
        path: The genotype.json.
        config: The settings of the search, as the user gave them; or their texts, by name.
        program: The program that searched: "search" or "random_search".
    """
    usual = _texts(_CONFIGS[program]())
    now = usual | (dict(config) if isinstance(config, Mapping) else _texts(config))
    name = _preset(program, now, any(now[size] != usual[size] for size in SIZES))
    before = usual | _lines(program, name)
    after = _texts(TrainingConfig()) | _lines("train", name)
    wanted = {setting: now[setting] for setting in ALIKE}
    for size in SIZES:
        wanted[size] = _scale(size, int(now[size]), int(before[size]), int(after[size]))
    if int(now["epochs"]) <= _TRIAL:
        wanted["epochs"] = now["epochs"]
    warmup = min(int(after["warmup_epochs"]), int(wanted["epochs"]) - 1)
    wanted["warmup_epochs"] = str(warmup)
    space = spaces.get(now["space"])
    if space.finds_depth or space.most_layers is not None:  # then the genotype says how deep it is
        wanted["layers"] = now["layers"]
    if not space.one_width:
        wanted["init_channels"] = now["init_channels"]
    words = ["python", "-m", "trainers.train", f"--genotype={path}"]
    words += [f"--flagfile={name}"] * bool(name)
    words += [f"--{flag}={text}" for flag, text in wanted.items() if text != after[flag]]
    return shlex.join(words)


def _preset(program: str, now: Mapping[str, str], small: bool) -> str:
    """Returns the name of a preset that both a search and its training have, or ""."""
    dataset = now["dataset"]
    names = set(presets.names(program)) & set(presets.names("train"))
    any_of_kind = "ptb.flags" if dataset.startswith("text_file:") else "images.flags"
    fitting = [f"{now['space']}_{dataset}.flags", f"{dataset}.flags"]
    fitting += [any_of_kind] * (small or any_of_kind == "ptb.flags")
    return next((name for name in fitting if name in names), "")


def _scale(size: str, now: int, before: int, after: int) -> str:
    return str(max(_FEWEST.get(size, 1), round(now * after / before)))


def _texts(config: RunConfig) -> dict[str, str]:
    """Returns the settings by name, as flags spell them."""
    pairs = (line.removeprefix("--").partition("=") for line in flag_lines(config))
    return {name: text for name, _, text in pairs}


def _lines(program: str, name: str) -> dict[str, str]:
    """Returns the values in a preset by flag; none for ""."""
    lines = presets.lines(name, program) if name else ()
    pairs = (line.removeprefix("--").partition("=") for _, line in lines)
    return {flag: text for flag, _, text in pairs}


def show(genotype: Genotype, title: str = "") -> None:
    """Prints the cells as a text drawing, in the characters of the terminal's encoding.

    Args:
        genotype: The genotype.
        title: A title above the cells.
    """
    encoding = sys.stdout.encoding or "utf-8"
    text = as_text(genotype, title, encoding)
    print(text.encode(encoding, "replace").decode(encoding))


def _shorten(given: str) -> str:
    return given if len(given) <= _LONGEST else short(given)


def _read(where: str, text: str) -> Genotype:
    try:
        return read_genotype(text)
    except UserError as error:
        raise UserError(f"{where}: {error}") from error
