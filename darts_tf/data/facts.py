"""What is known of each data set before it is read: sizes, class names, mean and deviation."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from darts_tf.data import image_folder
from darts_tf.errors import UserError, nearest


@dataclass(frozen=True)
class DatasetFacts:
    """The constants of one data set.

    Args:
        name: The name that users give.
        image_size: Height and width of its images in pixels.
        channels: 1 for grey images, 3 for colour.
        classes: Class names; the place of a name is its label. Plain numbers where only the data
            set's own files name them.
        mean: Mean of the training images per channel, of pixels divided by 255.
        deviation: Standard deviation of the training images per channel, of pixels divided by 255.
        pad: Pixels added on each side before a random crop of the image's own size.
        flip: Whether a mirrored image still belongs to its class.
        cutout: Side of cutout's square in pixels, 0 for none.
        stem: First layers of a network for it: `cifar`, `tiny_imagenet` or `imagenet`.
        policy: AutoAugment's policy for it, `cifar` or `imagenet`; "" for none.
        crop: How training images are cropped: `pad` surrounds them with zeros and crops their own
            size, `resized` resizes a random part of them (when they are decoded).
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


# In the order of their labels.
_CIFAR100_CLASSES = """
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle
    bowl boy bridge bus butterfly camel can castle caterpillar cattle
    chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur
    dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard
    lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain
    mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree
    plain plate poppy porcupine possum rabbit raccoon ray road rocket
    rose sea seal shark shrew skunk skyscraper snail snake spider
    squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor
    train trout tulip turtle wardrobe whale willow_tree wolf woman worm
"""
_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_DEVIATION = (0.229, 0.224, 0.225)


def _numbers(count: int) -> tuple[str, ...]:
    return tuple(str(label) for label in range(count))


_ALL = (
    DatasetFacts(
        name="digits",
        image_size=8,
        channels=1,
        classes=_numbers(10),
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
    DatasetFacts(
        name="cifar100",
        image_size=32,
        channels=3,
        classes=tuple(_CIFAR100_CLASSES.split()),
        mean=(0.5071, 0.4867, 0.4408),
        deviation=(0.2675, 0.2565, 0.2761),
        pad=4,
        flip=True,
        cutout=16,
        stem="cifar",
        policy="cifar",
        crop="pad",
        train_images=50000,
        test_images=10000,
    ),
    # CIFAR's recipe in proportion to the size: pad 4 and cutout 16 of 32 pixels.
    DatasetFacts(
        name="tiny_imagenet",
        image_size=64,
        channels=3,
        classes=_numbers(200),
        mean=_IMAGENET_MEAN,
        deviation=_IMAGENET_DEVIATION,
        pad=8,
        flip=True,
        cutout=32,
        stem="tiny_imagenet",
        policy="imagenet",
        crop="pad",
        train_images=100000,
        test_images=10000,
    ),
    DatasetFacts(
        name="imagenet",
        image_size=224,
        channels=3,
        classes=_numbers(1000),
        mean=_IMAGENET_MEAN,
        deviation=_IMAGENET_DEVIATION,
        pad=0,
        flip=True,
        cutout=0,
        stem="imagenet",
        policy="imagenet",
        crop="resized",
        train_images=1281167,
        test_images=50000,
    ),
)

DATASETS: Mapping[str, DatasetFacts] = MappingProxyType({facts.name: facts for facts in _ALL})

SMALLEST_FOLDER_IMAGES = 8  # pixels; a network halves them twice
LARGEST_FOLDER_IMAGES = 2**15


def facts_of(dataset: str, image_size: int = 0) -> DatasetFacts:
    """Returns what is known of a data set before its images are read.

    Args:
        dataset: A key of `DATASETS`, or `image_folder:PATH`.
        image_size: The side of the images that the user asks for, in pixels; 0 for the data set's
            own. It changes the facts of a folder only, which has no size of its own.

    Returns:
        The facts. Those of a folder have the recipe of CIFAR in proportion to the size; its
        channels, mean and deviation are known once the images have been read.

    Raises:
        UserError: If there is no such data set, the folder is not laid out as it must be, or a
            folder's `image_size` is missing.
    """
    path = image_folder.path_of(dataset)
    if path is not None:
        return _of_folder(dataset, image_folder.scan(path), image_size)
    if dataset not in DATASETS:
        known = [*DATASETS, f"{image_folder.PREFIX}PATH"]
        raise UserError(
            f"dataset: must be one of {', '.join(known)}; found '{dataset}'."
            f"{nearest(dataset, known)}"
        )
    return DATASETS[dataset]


def run_name(dataset: str) -> str:
    """Returns a data set's name as a part of a path: that of the folder for `image_folder:PATH`."""
    path = image_folder.path_of(dataset)
    return dataset if path is None else path.absolute().name or "image_folder"


def portions(images: int, train_portion: float, valid_portion: float) -> tuple[int, int]:
    """Divides a number of training images, for a search, into two disjoint parts.

    Args:
        images: How many there are.
        train_portion: The part that trains weights, between 0 and 1.
        valid_portion: The part that trains alphas; 0 for all the others.

    Returns:
        `floor(train_portion * images)`, and `floor(valid_portion * images)` or the others.

    Raises:
        UserError: If one of the two would be empty, or both do not fit in.
    """
    first = math.floor(train_portion * images)
    second = math.floor(valid_portion * images) if valid_portion else images - first
    if not 0 < first < images:
        raise UserError(
            f"train_portion: must leave images for the weights and for the alphas, "
            f"found {train_portion} of {images} images"
        )
    if not 0 < second <= images - first:
        raise UserError(
            f"valid_portion: must take some of the {images - first} images that "
            f"train_portion={train_portion} leaves of {images}, found {valid_portion}"
        )
    return first, second


def _of_folder(dataset: str, found: image_folder.ImageFolder, image_size: int) -> DatasetFacts:
    if image_size < SMALLEST_FOLDER_IMAGES:
        raise UserError(
            f"image_size: a folder of images has no size of its own; give the side that they are "
            f"to be resized to, at least {SMALLEST_FOLDER_IMAGES} pixels, found {image_size}"
        )
    if image_size > LARGEST_FOLDER_IMAGES:
        raise UserError(
            f"image_size: must be at most {LARGEST_FOLDER_IMAGES} pixels, found {image_size}"
        )
    stems = ((48, "cifar"), (96, "tiny_imagenet"))
    return DatasetFacts(
        name=dataset,
        image_size=image_size,
        channels=3,
        classes=found.classes,
        mean=(0.5,) * 3,
        deviation=(0.25,) * 3,
        pad=round(image_size / 8),
        flip=True,
        cutout=image_size // 2,
        stem=next((stem for most, stem in stems if image_size <= most), "imagenet"),
        policy="cifar" if image_size <= 48 else "imagenet",
        crop="pad",
        train_images=len(found.train),
        test_images=len(found.test),
    )
