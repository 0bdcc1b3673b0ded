"""Inference with the exported SavedModel, in a process without Keras."""

import multiprocessing
import tempfile
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import tensorflow as tf

from benchmarks.ours.exporting import export_untrained, hide_gpus
from benchmarks.timing.data import pixels
from benchmarks.timing.works import Sizes
from darts_tf.runs.machine import usable_cores


class Served:
    """Inference with an exported model, one operation per core at a time.

    Args:
        sizes: The sizes of the network and the batch.
        folder: The version folder of the model.
    """

    def __init__(self, sizes: Sizes, folder: str) -> None:
        # A signature is only valid as long as its model.
        self._model = tf.saved_model.load(folder)
        self._signature = self._model.signatures["serving_default"]
        self._pixels = tf.constant(pixels(sizes))

    def __call__(self) -> np.ndarray:
        """Returns the scores of the batch, [batch, classes]."""
        return self._signature(pixels=self._pixels)["scores"].numpy()


def build(sizes: Sizes) -> Served:
    """Exports an untrained DARTS_V2 in a separate process, and loads it."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(usable_cores())
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        with ProcessPoolExecutor(1, spawn, initializer=hide_gpus) as pool:
            version = pool.submit(export_untrained, sizes, folder).result()
        return Served(sizes, version)
