"""What the cells of NAS-Bench-201 reach: published accuracies, and the benchmark's own files."""

import json
import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from darts_tf.errors import UserError
from darts_tf.spaces.foreign import bench_string
from darts_tf.spaces.genotype import Genotype
from darts_tf.spaces.inert_pickles import read_pickle

_EPOCHS = "200"  # of the trainings; the benchmark has others of 12 epochs
# By the names here: the benchmark's names of the training and of the images that are tested on.
_ACCURACIES = {
    "cifar10_valid": ("cifar10-valid", "x-valid"),
    "cifar10_test": ("cifar10", "ori-test"),
    "cifar100_valid": ("cifar100", "x-valid"),
    "cifar100_test": ("cifar100", "x-test"),
    "imagenet16_120_valid": ("ImageNet16-120", "x-valid"),
    "imagenet16_120_test": ("ImageNet16-120", "x-test"),
}


@cache
def published() -> Mapping[str, Mapping[str, float]]:
    """Returns the published accuracies in percent, by the benchmark's string of the cell.

    Example:

        >>> skips = "|skip_connect~0|+|skip_connect~0|skip_connect~1|"
        >>> skips += "+|skip_connect~0|skip_connect~1|skip_connect~2|"
        >>> published()[skips]["cifar10_test"]
        54.3
    """
    file = Path(__file__).with_name("nas_bench_201.json")
    cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
    return MappingProxyType({cell["cell"]: MappingProxyType(cell["accuracies"]) for cell in cells})


class PublishedAccuracies:
    """The accuracies of the few cells of which papers tell them."""

    def accuracies(self, genotype: Genotype) -> Mapping[str, float]:
        """Returns what is known of a cell, in percent; nothing for most.

        Args:
            genotype: A genotype of the space.
        """
        return published().get(bench_string(genotype), {})


class BenchmarkFiles:
    """The accuracies of all cells, from the benchmark's folder `NATS-tss-v1_0-3ffb9-simple`.

    It holds `meta.pickle.bz2`, the list of all cells, and a file for each cell. They are pickles,
    of which nothing is run; a cell's file is read when it is asked for.

    Args:
        folder: The folder.

    Raises:
        UserError: If it is not that folder.
    """

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder).expanduser()
        meta = _read(self.folder / "meta.pickle.pbz2")
        cells = meta.get("meta_archs") if isinstance(meta, Mapping) else None
        if not isinstance(cells, list) or not all(isinstance(cell, str) for cell in cells):
            raise UserError(
                f"benchmark_dir: expected the list of the cells in {self.folder}/meta.pickle.pbz2, "
                "under 'meta_archs'"
            )
        self._numbers = {cell: number for number, cell in enumerate(cells)}

    def accuracies(self, genotype: Genotype) -> Mapping[str, float]:
        """Returns the mean over a cell's trainings of the accuracy after the last epoch.

        Args:
            genotype: A genotype of the space.

        Returns:
            In percent, by names such as `cifar10_test`; those that the file has.

        Raises:
            UserError: If the file is missing or of another form.
        """
        cell = bench_string(genotype)
        if cell not in self._numbers:
            raise UserError(f"benchmark_dir: expected the cell {cell} in {self.folder}, got none")
        path = self.folder / f"{self._numbers[cell]:06d}.pickle.pbz2"
        try:
            trainings = _read(path)[_EPOCHS]["all_results"]
            found = {
                name: _mean(trainings, training, images)
                for name, (training, images) in _ACCURACIES.items()
            }
        except (LookupError, TypeError, AttributeError) as error:
            raise UserError(
                f"benchmark_dir: expected the results of {_EPOCHS} epochs in {path}, got "
                f"{type(error).__name__}: {error}"
            ) from error
        return {name: value for name, value in found.items() if value is not None}


def _read(path: Path) -> Any:
    try:
        return read_pickle(path)
    except UserError as error:
        raise UserError(f"benchmark_dir: {error}") from error


def _mean(trainings: Mapping[Any, Any], training: str, images: str) -> float | None:
    values = []
    for (dataset, _), result in trainings.items():
        if dataset == training:
            value = result["eval_acc1es"].get(f"{images}@{result['epochs'] - 1}")
            if isinstance(value, int | float):
                values.append(float(value))
    return math.fsum(values) / len(values) if values else None
