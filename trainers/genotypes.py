"""The genotype that a user gives, how a terminal shows one, and what trains its network."""

import shlex
import sys
from pathlib import Path

from darts_tf.config import RunConfig
from darts_tf.errors import UserError, nearest
from darts_tf.report.pictures.text import as_text
from darts_tf.spaces import zoo
from darts_tf.spaces.genotype import Genotype, read_genotype
from trainers import presets

TEXT = f"A genotype.json, JSON, or a published genotype: {', '.join(zoo.names())}. Needed."


def chosen(given: str) -> Genotype:
    """Returns the genotype that `--genotype` means.

    Args:
        given: The name of a published genotype, JSON, or the path of a file with JSON, such as a
            search's genotype.json.

    Raises:
        UserError: If it is none of these.
    """
    known = zoo.names()
    if not given:
        raise UserError(
            f"--genotype: is needed; a genotype.json, JSON or a published genotype is right: "
            f"{', '.join(known)}"
        )
    if given in known:
        return zoo.get(given)
    if given.lstrip().startswith("{"):
        return _parsed("--genotype", given)
    try:
        text = Path(given).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        raise UserError(
            f"--genotype={given}: no such file, and no published genotype."
            f"{nearest(given, known)} Published: {', '.join(known)}"
        ) from None
    except OSError as error:
        raise UserError(
            f"--genotype={given}: {error.strerror}; a file such as genotype.json is right"
        ) from error
    return _parsed(f"--genotype={given}", text)


def training_command(path: Path, config: RunConfig) -> str:
    """Returns the command that trains the network of a genotype that was found.

    Args:
        path: The genotype.json.
        config: Has the data set.
    """
    preset = f"{config.dataset}.flags"
    words = ["python", "-m", "trainers.train", f"--genotype={path}"]
    if preset in presets.names("train"):
        words.append(f"--flagfile={preset}")
    else:
        words += [f"--dataset={config.dataset}", f"--image_size={config.image_size}"]
    words += [f"--data_dir={config.data_dir}"] * bool(config.data_dir)
    return shlex.join(words)


def show(genotype: Genotype, title: str = "") -> None:
    """Prints the cells as a drawing, in the letters that the terminal has.

    Args:
        genotype: The cells.
        title: A line above them.
    """
    encoding = sys.stdout.encoding or "utf-8"
    text = as_text(genotype, title, encoding)
    print(text.encode(encoding, "replace").decode(encoding))


def _parsed(where: str, text: str) -> Genotype:
    try:
        return read_genotype(text)
    except UserError as error:
        raise UserError(f"{where}: {error}") from error
