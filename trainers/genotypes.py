"""Genotypes on the command line: parsing, printing, and the command that trains their network."""

import shlex
import sys
from pathlib import Path

from darts_tf.config import RunConfig
from darts_tf.errors import UserError, nearest
from darts_tf.report.pictures.text import as_text
from darts_tf.spaces import zoo
from darts_tf.spaces.genotype import Genotype, read_genotype
from trainers import presets

TEXT = f"A genotype.json, JSON, or a published genotype: {', '.join(zoo.names())}. Required."


def chosen(given: str) -> Genotype:
    """Returns the genotype of the flag `--genotype`.

    Args:
        given: The name of a published genotype, JSON, or the path of a JSON file, such as the
            genotype.json of a search.

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
    if given.lstrip().startswith("{"):
        return _parsed("--genotype", given)
    try:
        text = Path(given).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        raise UserError(
            f"--genotype={given}: no such file, and no published genotype."
            f"{nearest(given, published)} Published: {', '.join(published)}"
        ) from None
    except OSError as error:
        raise UserError(
            f"--genotype={given}: {error.strerror}; expected a file such as genotype.json"
        ) from error
    return _parsed(f"--genotype={given}", text)


def training_command(path: Path, config: RunConfig) -> str:
    """Returns the command that trains the network of the genotype of a search.

    Args:
        path: The genotype.json.
        config: The settings of the search; its data set is used.
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
    """Prints the cells as a text drawing, in the characters of the terminal's encoding.

    Args:
        genotype: The genotype.
        title: A title above the cells.
    """
    encoding = sys.stdout.encoding or "utf-8"
    text = as_text(genotype, title, encoding)
    print(text.encode(encoding, "replace").decode(encoding))


def _parsed(where: str, text: str) -> Genotype:
    try:
        return read_genotype(text)
    except UserError as error:
        raise UserError(f"{where}: {error}") from error
