"""The facts of a data set: what a search and a training have to know of it besides its images."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

from darts_tf.errors import UserError

SMALLEST_IMAGE_SIZE = 8  # pixels; a network halves them twice
LARGEST_IMAGE_SIZE = 2**15

# The first layers for images of at most so many pixels; larger ones have those of ImageNet.
_STEMS = ((48, "cifar"), (96, "tiny_imagenet"))


@dataclass(frozen=True)
class DatasetFacts:
    """The facts of one data set.

    Args:
        name: The data set's name, as in `--dataset=NAME`.
        image_size: Height and width of its images in pixels.
        channels: 1 for grey images, 3 for color.
        classes: Class names; the place of a name is its label. Plain numbers where only the data
            set's own files name them.
        mean: Mean of the training images per channel, of pixels divided by 255.
        deviation: Standard deviation of the training images per channel, of pixels divided by 255.
        pad: Zeros on each side, in pixels, before a random crop of the image's own size.
        flip: Whether a mirrored image still belongs to its class.
        cutout: Side of cutout's square in pixels, 0 for none.
        stem: First layers of a network for it: `cifar`, `tiny_imagenet` or `imagenet`.
        policy: AutoAugment's policy for it, `cifar` or `imagenet`; "" for none.
        crop: How training images are cropped: `pad` surrounds them with zeros and crops their own
            size, `resized` resizes a random part of them (when they are decoded).
        train_images: Number of training images; 0 where only reading them tells.
        test_images: Number of test images; 0 where only reading them tells.
        portions_by: How training images are divided unless a run says otherwise: `order` takes
            the first ones, as DARTS does; `class` takes a share of each class.
        kind: `images`, or `text`, whose classes are the words of its vocabulary; numbers of images
            are then those of words.
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
    portions_by: str = "order"
    kind: str = "images"

    def resized(self, image_size: int) -> DatasetFacts:
        """Returns the facts of the same images at another size.

        Args:
            image_size: The new height and width in pixels; 0 for the same. The padding before a
                crop grows or shrinks in proportion.

        Raises:
            UserError: If the size is negative.
        """
        if image_size < 0:
            raise UserError(f"image_size: expected at least 0, got {image_size}")
        if image_size in (0, self.image_size):
            return self
        resized = dataclasses.replace(self, image_size=image_size)
        return resized.padded(self.pad / self.image_size)

    def padded(self, share: float) -> DatasetFacts:
        """Returns the facts of the same images with another padding before a crop.

        Example:
            >>> facts = facts_in_proportion("photos", 64, ("cat", "dog"))
            >>> [facts.padded(share).pad for share in (0, 0.001, 0.05)]
            [0, 1, 3]

        Args:
            share: Zeros on each side, as a share of the image's side; at least one pixel unless 0.
        """
        pad = max(1, round(share * self.image_size)) if share else 0
        return dataclasses.replace(self, pad=pad)


def facts_in_proportion(
    name: str,
    image_size: int,
    classes: Sequence[str],
    *,
    channels: int = 3,
    mean: Sequence[float] = (),
    deviation: Sequence[float] = (),
    flip: bool = True,
    train_images: int = 0,
    test_images: int = 0,
    portions_by: str = "order",
) -> DatasetFacts:
    """Returns facts with CIFAR's recipe in proportion to the image size.

    CIFAR pads 32 pixels by 4 on each side and cuts out 16: here an eighth and a half. Up to 48
    pixels the stem and AutoAugment's policy are CIFAR's, up to 96 the stem is Tiny-ImageNet's and
    the policy ImageNet's, and both are ImageNet's for larger images.

    Args:
        name: The data set's name.
        image_size: Height and width of its images in pixels.
        classes: Class names; the place of a name is its label.
        channels: 1 for grey images, 3 for color.
        mean: Mean of the training images per channel, of pixels divided by 255; 0.5 if empty.
        deviation: Their standard deviation; 0.25 if empty.
        flip: Whether a mirrored image still belongs to its class.
        train_images: Number of training images; 0 where only reading them tells.
        test_images: Number of test images.
        portions_by: As in `DatasetFacts`.

    Raises:
        UserError: If the image size is too small for a network, or unreasonably large.

    Example:
        >>> facts = facts_in_proportion("photos", 64, ("cat", "dog"))
        >>> facts.pad, facts.cutout, facts.stem
        (8, 32, 'tiny_imagenet')
    """
    check_image_size(image_size)
    return DatasetFacts(
        name=name,
        image_size=image_size,
        channels=channels,
        classes=tuple(classes),
        mean=tuple(mean) or (0.5,) * channels,
        deviation=tuple(deviation) or (0.25,) * channels,
        pad=round(image_size / 8),
        flip=flip,
        cutout=image_size // 2,
        stem=next((stem for most, stem in _STEMS if image_size <= most), "imagenet"),
        policy="cifar" if image_size <= _STEMS[0][0] else "imagenet",
        crop="pad",
        train_images=train_images,
        test_images=test_images,
        portions_by=portions_by,
    )


def check_image_size(image_size: int) -> None:
    """Checks that a network can be built for images of a size.

    Args:
        image_size: Height and width in pixels.

    Raises:
        UserError: If they are below `SMALLEST_IMAGE_SIZE` or above `LARGEST_IMAGE_SIZE`.
    """
    if not SMALLEST_IMAGE_SIZE <= image_size <= LARGEST_IMAGE_SIZE:
        raise UserError(
            f"image_size: expected {SMALLEST_IMAGE_SIZE} to {LARGEST_IMAGE_SIZE} pixels, "
            f"got {image_size}"
        )


def portions(images: int, train_portion: float, valid_portion: float) -> tuple[int, int]:
    """Divides a number of training images, for a search, into two disjoint parts.

    Args:
        images: Number of training images.
        train_portion: Share of them that trains the weights, between 0 and 1.
        valid_portion: Share that trains the architecture; 0 for all the others.

    Returns:
        `floor(train_portion * images)`, and `floor(valid_portion * images)` or the others.

    Raises:
        UserError: If one of the two would be empty, or both do not fit in.
    """
    first = math.floor(train_portion * images)
    second = math.floor(valid_portion * images) if valid_portion else images - first
    if not 0 < first < images:
        raise UserError(
            "train_portion: expected a share that leaves images for the weights and for the "
            f"architecture, got {train_portion} of {images} images"
        )
    if not 0 < second <= images - first:
        raise UserError(
            f"valid_portion: expected a share of at most the {images - first} images that "
            f"train_portion={train_portion} leaves of {images}, got {valid_portion}"
        )
    return first, second
