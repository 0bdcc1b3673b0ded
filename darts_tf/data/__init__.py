"""Data sets by name, and the batches made of them.

Importing this package loads no TensorFlow; `darts_tf.data.batches` and `darts_tf.data.augment` do.
"""

from darts_tf.data.dataset import Dataset
from darts_tf.data.facts import DATASETS, DatasetFacts
from darts_tf.data.sources import check, load
from darts_tf.data.split import ArraySplit, Split

__all__ = ["DATASETS", "ArraySplit", "Dataset", "DatasetFacts", "Split", "check", "load"]
