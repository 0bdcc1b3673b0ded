"""Data sets by name, and the batches made of them.

Importing this package loads no TensorFlow; `darts_tf.data.batches` and
`darts_tf.data.augmentation` do.
"""

from darts_tf.data.facts import DATASETS, DatasetFacts
from darts_tf.data.images import ImageData, Images, Split
from darts_tf.data.sources import check, load

__all__ = ["DATASETS", "DatasetFacts", "ImageData", "Images", "Split", "check", "load"]
