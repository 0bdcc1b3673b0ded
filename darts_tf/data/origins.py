"""Where each data set comes from: its TFDS builder, and the archives that users put into place."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

# Below the folder of all data sets; TFDS looks for archives there too.
MANUAL = Path("downloads", "manual")


@dataclass(frozen=True)
class Origin:
    """Where one data set comes from.

    Attributes:
        builder: The name of its TFDS builder.
        test: The builder's split that is the test here.
        archives: Names of the files that it is prepared from; none for embedded ones.
        url: Where they are found.
        fetched: Whether the builder can download them.
        encoded: Whether its images stay on the disk, in files that are read in any order.
    """

    builder: str
    test: str = "test"
    archives: tuple[str, ...] = ()
    url: str = ""
    fetched: bool = False
    encoded: bool = False


_CIFAR = "https://www.cs.toronto.edu/~kriz/cifar.html"

ORIGINS: Mapping[str, Origin] = MappingProxyType(
    {
        "digits": Origin("digits"),
        "cifar10": Origin(
            "cifar10", archives=("cifar-10-binary.tar.gz",), url=_CIFAR, fetched=True
        ),
        "cifar100": Origin(
            "cifar100", archives=("cifar-100-binary.tar.gz",), url=_CIFAR, fetched=True
        ),
        "tiny_imagenet": Origin(
            "tiny_imagenet",
            test="validation",
            archives=("tiny-imagenet-200.zip",),
            url="http://cs231n.stanford.edu/tiny-imagenet-200.zip",
        ),
        "imagenet": Origin(
            "imagenet2012",
            test="validation",
            archives=("ILSVRC2012_img_train.tar", "ILSVRC2012_img_val.tar"),
            url="https://image-net.org/download-images",
            encoded=True,
        ),
    }
)
