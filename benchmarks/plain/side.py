"""Search iterations of the plain TensorFlow graph, to compare with ours."""

import numpy as np
import tensorflow as tf

from benchmarks.plain.graph import PlainSearchStep
from benchmarks.timing.data import CLASSES, images_and_labels
from benchmarks.timing.works import Sizes


class Plain:
    """Iterations of the search as a plain graph, with the default settings of TensorFlow.

    Args:
        sizes: The sizes of the network and the batch.
    """

    def __init__(self, sizes: Sizes) -> None:
        batches = [images_and_labels(sizes, stream) for stream in (0, 1)]
        self.tensors = [tf.constant(array) for batch in batches for array in batch]
        shape = (sizes.image_size, sizes.image_size, 3)
        self.step = PlainSearchStep(sizes.cells, sizes.channels, CLASSES, shape)

    def __call__(self) -> float:
        """Runs one iteration and returns its training loss."""
        return float(self.step(*self.tensors))

    def logits(self) -> np.ndarray:
        """Returns the logits of the training batch."""
        return self.step.logits(self.tensors[0]).numpy()
