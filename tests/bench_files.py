"""A folder of NAS-Bench-201 as its authors publish it, of a few cells."""

from __future__ import annotations

import bz2
import pickle
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

RESNET = "|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|skip_connect~2|"
_IMAGES = {
    "cifar10-valid": {"x-valid": -1.0, "ori-test": -3.0},
    "cifar10": {"ori-test": 0.0},
    "cifar100": {"x-valid": -20.0, "x-test": -21.0, "ori-test": -22.0},
    "ImageNet16-120": {"x-valid": -40.0, "x-test": -41.0, "ori-test": -42.0},
}


def write_bench(
    folder: Path, cells: Mapping[str, Sequence[float]], epochs: str = "200", **more: Any
) -> None:
    """Writes the list of cells and a file for each.

    Args:
        folder: Where to.
        cells: For each cell the accuracy on CIFAR-10's test images of each of its trainings; those
            on other images differ from it by `_IMAGES`.
        epochs: The length of the trainings.
        **more: Further entries of each training, such as its weights.
    """
    write(folder / "meta.pickle.pbz2", {"meta_archs": list(cells), "total_archs": len(cells)})
    for number, (cell, accuracies) in enumerate(cells.items()):
        results: dict[Any, Any] = OrderedDict()
        for training, images in _IMAGES.items():
            for run, accuracy in enumerate(accuracies):
                by_epoch = {
                    f"{name}@{epoch}": accuracy + shift - (int(epochs) - 1 - epoch) / 10
                    for name, shift in images.items()
                    for epoch in range(int(epochs))
                }
                results[training, 777 + run] = {
                    "name": "infer.tiny",
                    "net_state_dict": None,
                    "arch_config": {"channel": 16, "num_cells": 5, "arch_str": cell},
                    "epochs": int(epochs),
                    "eval_names": list(images),
                    "eval_acc1es": by_epoch,
                    **more,
                }
        record = {"arch_index": number, "arch_str": cell, "all_results": results}
        write(folder / f"{number:06d}.pickle.pbz2", OrderedDict({epochs: record}))


def write(path: Path, content: Any) -> None:
    """Writes a pickle, compressed as the benchmark's are."""
    with bz2.open(path, "wb") as file:
        pickle.dump(content, file)
