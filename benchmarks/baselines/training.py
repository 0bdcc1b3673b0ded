"""Trains a baseline on the batches of our trainings and prints its result as a line of JSON.

    python -m benchmarks.baselines.training plain 24 --dataset=digits --epochs=30

The learning rate follows a cosine. The plain network learns by AdamW at the rate that most users of
Keras begin with, the others, which normalize, by SGD at that of our preset: in trials each was
better so. Images are augmented as ours are, with a padding of their own. The network is tested
once, after the last epoch.
"""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import keras
import tensorflow as tf

from benchmarks.baselines.networks import FEATURES, build
from benchmarks.command_line import Parser, positive
from darts_tf.command_line.program import run
from darts_tf.config import TrainingConfig
from darts_tf.data.batches import steps_per_epoch, training_batches
from darts_tf.data.datasets import resolve
from darts_tf.networks.complexity import multiply_adds, parameters
from darts_tf.networks.network import normalize_pixels
from darts_tf.training.evaluation import error_rates, predictions
from darts_tf.training.train import transforms

_SGD = partial(keras.optimizers.SGD, momentum=0.9, weight_decay=5e-4)
_OPTIMIZERS: Mapping[str, tuple[float, Callable[..., keras.optimizers.Optimizer]]] = {
    "plain": (1e-3, partial(keras.optimizers.AdamW, weight_decay=3e-4)),
    "residual": (0.1, _SGD),
    "separable": (0.1, _SGD),
}


def train(kind: str, width: int, config: TrainingConfig) -> dict[str, float]:
    """Trains a baseline, and tests it.

    Args:
        kind: As in `build`.
        width: As in `build`.
        config: The data set, the epochs, the batch size, the padding before crops and the seed.

    Returns:
        `weights`, `multiply_adds`, and `error_percent` on the test images.

    Raises:
        UserError: If the data set cannot be read.
    """
    keras.utils.set_random_seed(config.seed)
    config, dataset = resolve(config)
    images = dataset.load()
    facts = images.facts
    model = build(kind, images.train.shape, len(facts.classes), width)
    steps = config.epochs * steps_per_epoch(len(images.train), config.batch_size)
    rate, optimizer = _OPTIMIZERS[kind]
    model.compile(
        optimizer(keras.optimizers.schedules.CosineDecay(rate, steps)),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    transform, _ = transforms(config, facts)
    for epoch in range(config.epochs):
        batches = training_batches(
            images.train, config.batch_size, seed=config.seed, epoch=epoch, transform=transform
        )
        model.fit(batches.map(_image_and_label), initial_epoch=epoch, epochs=epoch + 1, verbose=0)
    pixels = keras.Input(images.train.shape)
    tested = keras.Model(pixels, model(normalize_pixels(pixels, facts.mean, facts.deviation)))
    scores, labels = predictions(tested, images.test, config.batch_size)
    return {
        "weights": parameters(model),
        "multiply_adds": multiply_adds(model),
        "error_percent": error_rates(scores, labels)["top1_error_percent"],
    }


def _image_and_label(
    images: tf.Tensor, labels: tf.Tensor, weights: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    del weights
    return images, labels


def main(arguments: Sequence[str]) -> None:
    """Trains a baseline and prints its result.

    Args:
        arguments: The command line without the program's name.

    Raises:
        UserError: If an argument is invalid.
    """
    parser = Parser("benchmarks.baselines.training", __doc__)
    parser.add_argument("kind", choices=tuple(FEATURES))
    parser.add_argument("width", type=positive, help="channels of its first convolution")
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--data_dir", default="")
    parser.add_argument("--image_size", type=int, default=0)
    parser.add_argument("--epochs", type=positive, required=True)
    parser.add_argument("--batch_size", type=positive, default=64)
    parser.add_argument("--padding", type=float, default=-1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=0, help="0 for all cores")
    options = vars(parser.parse_args(arguments))
    kind, width = options.pop("kind"), options.pop("width")
    config = TrainingConfig(**options, cutout=0)
    tf.config.threading.set_intra_op_parallelism_threads(config.threads)
    tf.config.threading.set_inter_op_parallelism_threads(config.threads)
    print(json.dumps(train(kind, width, config)))


if __name__ == "__main__":
    sys.exit(run("training", main))
