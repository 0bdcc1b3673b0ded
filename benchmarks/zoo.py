"""The page on the zoo: `python -m benchmarks.zoo [RUN_DIR ...]`.

Writes benchmarks/results/zoo.csv, a row for each published genotype, and the tables of docs/zoo.md.
Each network is built and counted once: of DARTS's kind 20 cells of 36 channels for CIFAR-10, of
Auto-DeepLab 12 cells of 20 channels, chains of blocks for ImageNet in their own size, and language
models for the 10,000 words of Penn Treebank in size 850. What the CSV file has is not counted
again. Directories of trainings of genotypes of the zoo give the errors that were measured here;
those of earlier calls stay.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks import table
from benchmarks.command_line import Parser, prepare_output
from benchmarks.facts.zoo import FACTS, OURS
from darts_tf.command_line.program import run
from darts_tf.errors import UserError
from darts_tf.report.pictures.text import as_text
from darts_tf.spaces import zoo
from darts_tf.spaces.genotype import read_genotype

COLUMNS = (
    "name",
    "paper",
    "arxiv",
    "license",
    "space",
    "skip_connects",
    "counted_for",
    "weights",
    "multiply_adds",
    "published_error",
    "published_on",
    "error_here",
    "here_on",
)
SHOWN = (
    "name",
    "paper",
    "skip-connects",
    "weights",
    "multiply-adds (M)",
    "published error (%)",
    "error here (%)",
    "license",
)
RESULTS = Path(__file__).parent / "results" / "zoo.csv"
# Records of the networks that come with weights.
PRETRAINED = Path(__file__).parents[1] / "darts_tf" / "applications" / "pretrained"
PAGE = Path(__file__).parents[1] / "docs" / "zoo.md"
CIFAR, IMAGENET, TEXT = "CIFAR-10", "ImageNet", "Penn Treebank"
# Cells and channels of networks of other spaces than DARTS's.
_SIZES = {
    "auto_deeplab": (12, 20),
    "proxyless_mobile": (21, 32),
    "proxyless_gpu": (21, 40),
    "proxyless_cpu": (21, 40),
    "single_path": (21, 32),
}
_WORDS, _SIZE = 10_000, 850


def counted_for(space: str) -> str:
    """Returns the data set for which a network of a space is counted."""
    if space == "ptb":
        return TEXT
    return CIFAR if space in {"darts", "auto_deeplab"} else IMAGENET


def count(name: str) -> tuple[str, str]:
    """Builds the network of a genotype and returns its weights and multiply-adds.

    Args:
        name: Its name in the zoo.

    Returns:
        Both numbers; no multiply-adds of a language model.
    """
    from darts_tf.networks.complexity import multiply_adds, parameters
    from darts_tf.networks.network import build_network
    from darts_tf.networks.recurrent import RecurrentNetwork

    genotype = zoo.get(name)
    if counted_for(genotype.space) == TEXT:
        language = RecurrentNetwork(genotype, _WORDS, _SIZE, rows=1)
        language.build()
        return str(parameters(language)), ""

    layers, channels = _SIZES.get(genotype.space, (20, 36))
    shape, classes, stem = ((32, 32, 3), 10, "cifar")
    if counted_for(genotype.space) == IMAGENET:
        shape, classes, stem = ((224, 224, 3), 1000, "imagenet")
    network = build_network(genotype, shape, classes, layers, channels, stem)
    return str(parameters(network)), str(multiply_adds(network))


def rows(before: Sequence[Mapping[str, str]], runs: Sequence[Path]) -> list[dict[str, str]]:
    """Returns a row of `COLUMNS` for each genotype of the zoo.

    Args:
        before: The rows of the CSV file.
        runs: Directories of trainings.

    Raises:
        UserError: If a directory has no result, or that of other cells.
    """
    known = {row["name"]: row for row in before}
    here = dict(map(_trained_here, [*sorted(PRETRAINED.glob("*.json")), *runs]))
    found = []
    for name in zoo.names():
        genotype, facts, old = zoo.get(name), FACTS[name], known.get(name, {})
        weights, products = old.get("weights", ""), old.get("multiply_adds", "")
        if not weights:
            weights, products = count(name)
        error, on = here.get(name, (old.get("error_here", ""), old.get("here_on", "")))
        skips = genotype.skip_connects()
        if len(skips) > 2:  # blocks of a chain
            skips = {"blocks": sum(skips.values())}
        values = (
            name,
            facts.paper,
            facts.arxiv,
            facts.license,
            genotype.space,
            " ".join(f"{cell} {number}" for cell, number in skips.items()),
            counted_for(genotype.space),
            weights,
            products,
            facts.error,
            facts.on,
            error,
            on,
        )
        found.append(dict(zip(COLUMNS, values, strict=True)))
    return found


def _trained_here(path: Path) -> tuple[str, tuple[str, str]]:
    """Returns the name of a training's genotype, its error, and what that was measured on.

    Args:
        path: The directory of a training, or the record of a network with weights, whose error is a
            mean over seeds.
    """
    file = path if path.suffix == ".json" else path / "result.json"
    try:
        result = json.loads(file.read_text(encoding="utf-8"))
        genotype = read_genotype(result)
        error = result["top1_error_percent"]
        error = f"{float(error['mean'] if isinstance(error, dict) else error):.2f}"
        on = f"{result['dataset']}, {result['epochs']} epochs, {result['parameters']:,} weights"
    except (OSError, ValueError, LookupError, TypeError) as problem:
        raise UserError(f"{path}: expected a finished training, got {problem}") from problem
    for name in zoo.names():
        if zoo.get(name) == genotype:
            return name, (error, on)
    raise UserError(f"{path}: expected a genotype of the zoo, got another")


def markdown(found: Sequence[Mapping[str, str]]) -> str:
    """Returns the table of the page.

    Args:
        found: Rows of `COLUMNS`.
    """
    lines = []
    for row in found:
        paper = row["paper"]
        if row["arxiv"]:
            paper = f"[{paper}](https://arxiv.org/abs/{row['arxiv']})"
        products = f"{int(row['multiply_adds']) / 1e6:.1f}" if row["multiply_adds"] else ""
        where = "" if row["counted_for"] == CIFAR else f", {row['counted_for']}"
        published = f"{row['published_error']}, {row['published_on']}"
        here = f"{row['error_here']}, {row['here_on']}" if row["error_here"] else "not trained"
        values = (
            f"`{row['name']}`",
            paper,
            row["skip_connects"],
            f"{int(row['weights']):,}{where}",
            products,
            published if row["published_error"] else "none" if paper == OURS else "not read",
            here,
            row["license"] or "not read",
        )
        lines.append(dict(zip(SHOWN, values, strict=True)))
    return table.markdown(SHOWN, lines)


def drawings() -> str:
    """Returns a folded drawing in letters of each genotype."""
    blocks = []
    for name in zoo.names():
        drawn = "\n".join(line.rstrip() for line in as_text(zoo.get(name)).splitlines())
        blocks.append(
            f'<details markdown="1">\n<summary>{name}: {zoo.source(name)}</summary>\n\n'
            f"```text\n{drawn}\n```\n\n</details>"
        )
    return "\n\n".join(blocks)


def filled(page: str, parts: Mapping[str, str]) -> str:
    """Returns a page with the text between its marks replaced.

    Args:
        page: The page, with lines `<!-- NAME -->` and `<!-- end of NAME -->`.
        parts: The new text by name.
    """
    for name, text in parts.items():
        begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        before, _, rest = page.partition(begin)
        page = f"{before}{begin}\n\n{text}\n\n{end}{rest.partition(end)[2]}"
    return page


def main(arguments: Sequence[str]) -> None:
    """Writes the CSV file and the page.

    Args:
        arguments: The command line without the program's name.

    Raises:
        UserError: If an argument is invalid.
    """
    parser = Parser("benchmarks.zoo", __doc__)
    parser.add_argument("runs", nargs="*", type=Path, help="directories of trainings")
    options = parser.parse_args(arguments)
    prepare_output(RESULTS)
    found = rows(table.read(RESULTS, COLUMNS), options.runs)
    table.write(RESULTS, COLUMNS, found)
    page = PAGE.read_text(encoding="utf-8")
    parts = {"zoo": markdown(found), "drawings": drawings()}
    PAGE.write_text(filled(page, parts), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(run("zoo", main))
