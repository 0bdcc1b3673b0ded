"""Throughput of the input pipeline compared with that of a training step, in images per second.

    python -m benchmarks.pipeline [--works=cifar10,imagenet] [--runs=5]

Both are measured one after the other with all cores, in one process that is set up like the
programs. The images are synthetic: as many in memory as CIFAR-10 has, of its size, and JPEGs of
500x375 pixels and about 110 kB, as in ImageNet. The table and the CSV file contain medians; a ratio
above 1 means that the step, not the pipeline, limits the training.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import numpy as np

from benchmarks import table
from benchmarks.command_line import Parser, positive, prepare_output
from benchmarks.timing.works import Sizes
from darts_tf.command_line.program import run
from darts_tf.data.facts import DatasetFacts
from darts_tf.data.sources.catalog import DATASETS
from darts_tf.data.split import Split
from darts_tf.errors import UserError, nearest

COLUMNS = ("work", "pipeline_images_s", "step_images_s", "ratio")
JPEG_SIZE = (375, 500)
JPEGS = 256  # number of distinct files, each of which is used many times


@dataclass(frozen=True)
class Work:
    """A pipeline and the step that it feeds.

    Attributes:
        sizes: Sizes of the network and the batch.
        stem: Name of the stem.
        images: Number of images in an epoch of the pipeline.
    """

    sizes: Sizes
    stem: str
    images: int

    def tiny(self) -> "Work":
        """Returns the workload with small sizes for tests."""
        sizes = replace(self.sizes, batch=4, channels=4, cells=3)
        return replace(self, sizes=sizes, images=24)


# The networks of the paper's tables 1 and 3; ImageNet's batch size fits into little memory.
WORKS = {
    "cifar10": Work(Sizes(batch=96, channels=36, cells=20), "cifar", 50_000),
    "imagenet": Work(Sizes(batch=32, image_size=224, channels=48, cells=14), "imagenet", 1024),
}


def main(arguments: Sequence[str]) -> None:
    """Measures the chosen workloads, writes the CSV file and prints the table.

    Args:
        arguments: The command line without the program's name.

    Raises:
        UserError: If an argument is invalid.
    """
    options = _parse(arguments)
    for name in options.works.split(","):
        if name not in WORKS:
            hint = nearest(name, WORKS) or f" Expected one of {', '.join(WORKS)}."
            raise UserError(f"unknown workload '{name}'.{hint}")
    prepare_output(options.output)
    from benchmarks.ours import steps

    steps.set_up()
    rows = []
    for name in options.works.split(","):
        work = WORKS[name].tiny() if options.tiny else WORKS[name]
        pipeline = _median(options.runs, _pipeline(work, DATASETS[name]))
        step = _median(options.runs, _step(work))
        values = (name, f"{pipeline:.0f}", f"{step:.1f}", f"{pipeline / step:.1f}")
        rows.append(dict(zip(COLUMNS, values, strict=True)))
        table.write(options.output, COLUMNS, rows)
    print(table.markdown(COLUMNS, rows))


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = Parser("benchmarks.pipeline", __doc__)
    parser.add_argument(
        "--works", default=",".join(WORKS), help="comma-separated names (default: %(default)s)"
    )
    parser.add_argument("--runs", type=positive, default=5, help="number of runs")
    parser.add_results("pipeline")
    parser.add_tiny()
    return parser.parse_args(arguments)


def _median(runs: int, measured: Callable[[], float]) -> float:
    """Returns the median throughput of some runs, in images per second, after one for warm-up."""
    measured()
    return median(measured() for _ in range(runs))


def _pipeline(work: Work, facts: DatasetFacts) -> Callable[[], float]:
    from darts_tf.data.augment.transforms import training_transform
    from darts_tf.data.batches import training_batches

    random = np.random.default_rng(0)
    split = _in_memory(work, random) if facts.crop == "pad" else _encoded(work, random)
    transform = training_transform(facts, facts.cutout)

    def epoch() -> float:
        batches: Any = iter(
            training_batches(split, work.sizes.batch, seed=0, epoch=0, transform=transform)
        )
        next(batches)
        begun = time.perf_counter()
        images = sum(len(labels) for _, labels, _ in batches)
        return images / (time.perf_counter() - begun)

    return epoch


def _step(work: Work) -> Callable[[], float]:
    from benchmarks.ours.steps import Training

    training = Training(work.sizes, stem=work.stem)

    def step() -> float:
        begun = time.perf_counter()
        training()
        return work.sizes.batch / (time.perf_counter() - begun)

    return step


def _in_memory(work: Work, random: np.random.Generator) -> Split:
    from darts_tf.data.split import ArraySplit

    size = work.sizes.image_size
    pixels = random.integers(0, 256, (work.images, size, size, 3), np.uint8)
    return ArraySplit(pixels, random.integers(0, 10, work.images).astype(np.int32))


class _Records(list[bytes]):
    def __getitems__(self, keys: Sequence[int]) -> list[bytes]:
        return [self[key] for key in keys]


def _encoded(work: Work, random: np.random.Generator) -> Split:
    from darts_tf.data.encoded import EncodedSplit

    number = min(JPEGS, work.images)
    records = _Records(_example(_jpeg(random), label) for label in range(number))
    return EncodedSplit(records, np.arange(work.images) % number, work.sizes.image_size)


def _jpeg(random: np.random.Generator) -> bytes:
    """Returns a JPEG of smooth shapes with noise that makes it as large as a photo."""
    import tensorflow as tf

    shapes = tf.image.resize(random.uniform(0, 255, (1, 9, 12, 3)), JPEG_SIZE, "bicubic")[0]
    pixels = np.clip(shapes.numpy() + random.normal(0, 19, (*JPEG_SIZE, 1)), 0, 255)
    return tf.io.encode_jpeg(pixels.astype(np.uint8), quality=90).numpy()


def _example(jpeg: bytes, label: int) -> bytes:
    import tensorflow as tf

    features = {
        "image": tf.train.Feature(bytes_list=tf.train.BytesList(value=[jpeg])),
        "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
    }
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


if __name__ == "__main__":
    sys.exit(run("pipeline", main))
