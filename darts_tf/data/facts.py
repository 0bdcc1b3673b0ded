"""What is known of each data set before it is read: sizes, class names, mean and deviation."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class DatasetFacts:
    """The constants of one data set.

    Args:
        name: The name that users give, also the name of its TFDS builder.
        image_size: Height and width of its images in pixels.
        channels: 1 for grey images, 3 for colour.
        classes: Class names; the place of a name is its label.
        mean: Mean of the training images per channel, of pixels divided by 255.
        deviation: Standard deviation of the training images per channel, of pixels divided by 255.
        pad: Pixels added on each side before a random crop of the image's own size.
        flip: Whether a mirrored image still belongs to its class.
        cutout: Side of cutout's square in pixels, 0 for none.
        stem: First layers of a network for it: `cifar`, `tiny_imagenet` or `imagenet`.
        policy: AutoAugment's policy for it, `cifar` or `imagenet`; "" for none.
        crop: `pad` where training images are padded and cropped; `resized` where they come as
            random parts, resized to the image size.
        train_images: Number of training images.
        test_images: Number of test images.
    """

    name: str
    image_size: int
    channels: int
    classes: tuple[str, ...]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    pad: int
    flip: bool
    cutout: int
    stem: str
    policy: str
    crop: str
    train_images: int
    test_images: int


_ALL = (
    DatasetFacts(
        name="digits",
        image_size=8,
        channels=1,
        classes=("0", "1", "2", "3", "4", "5", "6", "7", "8", "9"),
        mean=(0.30526091,),
        deviation=(0.37615756,),
        pad=1,
        flip=False,
        cutout=0,
        stem="cifar",
        policy="",
        crop="pad",
        train_images=1437,
        test_images=360,
    ),
    DatasetFacts(
        name="cifar10",
        image_size=32,
        channels=3,
        classes=(
            "airplane",
            "automobile",
            "bird",
            "cat",
            "deer",
            "dog",
            "frog",
            "horse",
            "ship",
            "truck",
        ),
        mean=(0.49139968, 0.48215827, 0.44653124),
        deviation=(0.24703233, 0.24348505, 0.26158768),
        pad=4,
        flip=True,
        cutout=16,
        stem="cifar",
        policy="cifar",
        crop="pad",
        train_images=50000,
        test_images=10000,
    ),
)

DATASETS: Mapping[str, DatasetFacts] = MappingProxyType({facts.name: facts for facts in _ALL})
