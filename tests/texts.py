"""A small text, and the settings of tiny searches and trainings on it."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

NOUNS = ("cat", "dog", "bird", "fish", "man", "woman", "child", "king", "queen")
VERBS = ("sees", "likes", "hears", "follows", "finds")

# Settings that a search and a training have in common.
TINY: dict[str, Any] = {
    "epochs": 2,
    "batch_size": 4,
    "init_channels": 6,
    "learning_rate": 5.0,
    "learning_rate_min": 5.0,
    "momentum": 0.0,
    "weight_decay": 5e-7,
    "grad_clip": 0.25,
    "text_bptt": 10,
    "text_input_dropout": 0.1,
    "text_hidden_dropout": 0.1,
    "text_output_dropout": 0.1,
}


def sentences(seed: int, lines: int) -> list[str]:
    """Lines of six to eight words in which some words tell the next ones.

    The rows of a batch would be in step if all lines were as long, and words that are the same in
    all rows are nothing that batch normalization can divide by.
    """
    rng = random.Random(seed)

    def noun() -> str:
        adjective = rng.choice(("", "old ", "young "))
        return f"the {adjective}{rng.choice(NOUNS)}"

    return [f"{noun()} {rng.choice(VERBS)} {noun()} ." for _ in range(lines)]


def write(folder: Path, seed: int, lines: int = 100) -> str:
    """Writes a text into a folder; returns the name of its data set."""
    path = folder / "text.txt"
    path.write_text("\n".join(sentences(seed, lines)) + "\n", encoding="utf-8")
    return f"text_file:{path}"
