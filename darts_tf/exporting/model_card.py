"""The card of an exported model: what it is, what it was trained on, how good it is, its files."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from darts_tf.data.facts import run_name

NAMES = ("model_card.json", "model_card.md")
_FROM_RESULT = ("top1_error", "top5_error", "epochs", "genotype")
_TEXTS = {
    "dataset": "data set",
    "image": "images",
    "classes": "classes",
    "top1_error": "test error, top 1, in percent",
    "top5_error": "test error, top 5, in percent",
    "epochs": "epochs of training",
    "parameters": "parameters",
    "multiply_adds": "multiply-adds of an image",
}


def write_card(folder: Path, model: Mapping[str, Any], result: Mapping[str, Any] | None) -> None:
    """Writes `assets.extra/model_card.json` and `model_card.md` beside what is exported already.

    Args:
        folder: The version's folder, with all its other files.
        model: What is known of the model itself; JSON.
        result: The contents of `result.json`; what it does not tell, the card does not.
    """
    known = result or {}
    card: dict[str, Any] = {}
    if isinstance(known.get("dataset"), str):
        card["dataset"] = run_name(known["dataset"])
    card |= {name: known[name] for name in _FROM_RESULT if name in known}
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
    """Returns the card in Markdown; `sha256sum --check` reads it too."""
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
