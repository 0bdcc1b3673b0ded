"""Export of an untrained network as a SavedModel; importing this does not import TensorFlow."""

import os
from typing import Any

from benchmarks.timing.data import CLASSES, DEVIATION, MEAN, settling_images
from benchmarks.timing.works import Sizes
from darts_tf.networks.spec import NetworkSpec
from darts_tf.spaces import zoo


def hide_gpus() -> None:
    """Keeps TensorFlow, which has not started, from GPUs, whose whole memory it would take."""
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"


def export_untrained(sizes: Sizes, folder: str) -> str:
    """Builds DARTS_V2, exports it and returns the version folder."""
    return export(settled(sizes), sizes, folder)


def settled(sizes: Sizes) -> Any:
    """Returns an untrained DARTS_V2 whose running averages are the statistics of a batch."""
    import keras

    from darts_tf.layers.normalization import BatchNormalization
    from darts_tf.networks.network import build_network

    keras.utils.set_random_seed(0)
    images = settling_images(sizes)
    network = build_network(_spec(sizes))
    for layer in network.layers:
        if isinstance(layer, BatchNormalization):
            layer.momentum = 0.0
    network(images, training=True)
    return network


def export(network: Any, sizes: Sizes, folder: str) -> str:
    """Exports a network.

    Args:
        network: A network that `settled` returned.
        sizes: The sizes of the network and the batch.
        folder: The output folder.

    Returns:
        The version folder.
    """
    from darts_tf.exporting.saved_model import export_saved_model
    from darts_tf.networks.network import inference_network

    model = inference_network(network, _spec(sizes), (MEAN,) * 3, (DEVIATION,) * 3)
    return str(export_saved_model(model, folder))


def _spec(sizes: Sizes) -> NetworkSpec:
    shape = (sizes.image_size, sizes.image_size, 3)
    return NetworkSpec(zoo.get("DARTS_V2"), shape, CLASSES, sizes.cells, sizes.channels)
