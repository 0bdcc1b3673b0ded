"""Data sets, and the batches made of them.

`sources` has the data sets by name, `augment` what happens to training images, `batches` the
batches of a run. Importing this package loads no TensorFlow; `darts_tf.data.batches` and
`darts_tf.data.augment` do.
"""

from darts_tf.data.dataset import AnyDataset, Dataset, LazyDataset
from darts_tf.data.datasets import find, load, resolve
from darts_tf.data.facts import DatasetFacts
from darts_tf.data.source import DataRequest, DataSource
from darts_tf.data.sources.arrays import as_dataset
from darts_tf.data.sources.catalog import DATASETS
from darts_tf.data.split import ArraySplit, Split

__all__ = [
    "DATASETS",
    "AnyDataset",
    "ArraySplit",
    "DataRequest",
    "DataSource",
    "Dataset",
    "DatasetFacts",
    "LazyDataset",
    "Split",
    "as_dataset",
    "find",
    "load",
    "resolve",
]
