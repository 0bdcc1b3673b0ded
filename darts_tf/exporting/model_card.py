"""The model card of an export: the model, its training data and test error, its files."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from darts_tf.data.datasets import run_name
from darts_tf.runs.results import with_units

NAMES = ("model_card.json", "model_card.md")
_FROM_RESULT = (
    "top1_error_percent",
    "top5_error_percent",
    "test_perplexity",
    "valid_perplexity",
    "epochs",
    "genotype",
)
_TEXTS = {
    "dataset": "data set",
    "image": "images",
    "classes": "classes",
    "words": "words of the vocabulary",
    "size": "size of the hidden state",
    "top1_error_percent": "test error, top 1, in percent",
    "top5_error_percent": "test error, top 5, in percent",
    "test_perplexity": "perplexity of the test text",
    "valid_perplexity": "perplexity of the validation text",
    "epochs": "epochs of training",
    "parameters": "parameters",
    "multiply_adds": "multiply-adds of an image",
    "multiply_adds_per_word": "multiply-adds of a word",
}


def write_card(folder: Path, model: Mapping[str, Any], result: Mapping[str, Any] | None) -> None:
    """Writes `model_card.json` and `model_card.md` into the folder `assets.extra` of an export.

    Args:
        folder: The version's folder, with all its other files.
        model: The entries of the card that the model itself gives; JSON.
        result: The contents of `result.json`; entries that it lacks are left out of the card.
    """
    facts = with_units(result or {})
    card: dict[str, Any] = {}
    if isinstance(facts.get("dataset"), str):
        card["dataset"] = run_name(facts["dataset"])
    card |= {name: facts[name] for name in _FROM_RESULT if name in facts}
    card |= model
    card["sha256"] = dict(_checksums(folder))
    extra = folder / "assets.extra"
    extra.mkdir(exist_ok=True)
    for name, text in zip(NAMES, (json.dumps(card, indent=2) + "\n", _page(card)), strict=True):
        (extra / name).write_text(text, encoding="utf-8", errors="replace")


def _checksums(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name not in NAMES:
            with path.open("rb") as file:
                sum_of_file = hashlib.file_digest(file, "sha256").hexdigest()
            yield path.relative_to(folder).as_posix(), sum_of_file


def _page(card: Mapping[str, Any]) -> str:
    """Returns the card as Markdown, with checksums in the form that `sha256sum --check` reads."""
    rows = [f"| {text} | {_cell(card[name])} |" for name, text in _TEXTS.items() if name in card]
    parts = ["# Model card", "", "| what | value |", "| --- | --- |", *rows, ""]
    if "genotype" in card:
        parts += ["Genotype:", "", "```json", json.dumps(card["genotype"]), "```", ""]
    parts += [
        f"Found and trained with darts_tf {card['darts_tf']}. Checksums, SHA-256; in the version's",
        "folder, `sha256sum --check assets.extra/model_card.md` compares them:",
        "",
        "```text",
        *(f"{checksum}  {name}" for name, checksum in card["sha256"].items()),
        "```",
        "",
    ]
    return "\n".join(parts)


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return " x ".join(map(str, value))
    if isinstance(value, int):
        return f"{value:,}"
    text = f"{value:.2f}" if isinstance(value, float) else str(value)
    return " ".join(text.split()).replace("|", r"\|")
