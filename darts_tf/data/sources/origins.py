"""The origins of the data sets: the TFDS builder of each, and the archives it is prepared from."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

# Below the folder of all data sets; TFDS looks for archives there too.
MANUAL = Path("downloads", "manual")


@dataclass(frozen=True)
class Origin:
    """The origin of one data set.

    Attributes:
        name: The data set's name.
        builder: The name of its TFDS builder.
        test: The builder's split that is the test here.
        archives: Names of the files that it is prepared from; none for embedded ones.
        url: The page or file that they are published at.
        fetched: Whether the builder can download them.
        encoded: Whether its images stay on the disk, in files that are read in any order.
        packed: For gzip archives, the time in the header of each, in seconds since 1970; none where
            it is not known.
    """

    name: str
    builder: str
    test: str = "test"
    archives: tuple[str, ...] = ()
    url: str = ""
    fetched: bool = False
    encoded: bool = False
    packed: tuple[int, ...] = ()

    @property
    def folder(self) -> str:
        """The name of a folder for this data set's archives alone."""
        return self.name.rpartition(":")[2].partition("/")[0]


_CIFAR = "https://www.cs.toronto.edu/~kriz/cifar.html"

# MNIST's file names, which its successors share.
_IDX = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)

_ALL = (
    Origin("digits", "digits"),
    Origin("cifar10", "cifar10", archives=("cifar-10-binary.tar.gz",), url=_CIFAR, fetched=True),
    Origin("cifar100", "cifar100", archives=("cifar-100-binary.tar.gz",), url=_CIFAR, fetched=True),
    Origin(
        "fashion_mnist",
        "fashion_mnist",
        archives=_IDX,
        url="https://github.com/zalandoresearch/fashion-mnist",
        fetched=True,
        packed=(1504176606, 1504176606, 1504176627, 1504176627),
    ),
    Origin(
        "mnist",
        "mnist",
        archives=_IDX,
        url="https://storage.googleapis.com/cvdf-datasets/mnist",
        fetched=True,
    ),
    Origin("kmnist", "kmnist", archives=_IDX, url="http://codh.rois.ac.jp/kmnist", fetched=True),
    Origin(
        "svhn_cropped",
        "svhn_cropped",
        archives=("train_32x32.mat", "test_32x32.mat", "extra_32x32.mat"),
        url="http://ufldl.stanford.edu/housenumbers",
        fetched=True,
    ),
    Origin(
        "tiny_imagenet",
        "tiny_imagenet",
        test="validation",
        archives=("tiny-imagenet-200.zip",),
        url="http://cs231n.stanford.edu/tiny-imagenet-200.zip",
    ),
    Origin(
        "imagenet",
        "imagenet2012",
        test="validation",
        archives=("ILSVRC2012_img_train.tar", "ILSVRC2012_img_val.tar"),
        url="https://image-net.org/download-images",
        encoded=True,
    ),
)

ORIGINS: Mapping[str, Origin] = MappingProxyType({origin.name: origin for origin in _ALL})
