"""How a camera was held: the EXIF tag of orientation, and images turned upright by it.

Sources: Exif 2.32, sections 4.5 and 4.6.5 (the tag is 0x0112); ITU-T T.81, annex B, for JPEG; PNG,
third edition, chunk eXIf; RFC 9649 for WebP.
"""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from darts_tf.data.formats.octets import matches, number, octets, place, walk

_TAG = 0x0112
# Of the tag's value: its bytes, by their number in EXIF (byte, short, long).
_BYTE, _SHORT, _LONG = 1, 3, 4
_MOST_TAGS = 1000
_EXIF = b"Exif\0\0"


class JpegHeader(NamedTuple):
    """The facts that the segments of a JPEG tell.

    Attributes:
        exif: Place of its EXIF data, int32; 0 for none.
        components: Its components, int32; 0 for none told.
    """

    exif: tf.Tensor
    components: tf.Tensor


class PngHeader(NamedTuple):
    """The facts that the chunks of a PNG tell.

    Attributes:
        exif: Place of its EXIF data, int32; 0 for none.
        transparent: Whether colors of it are transparent, bool [], other than by an alpha channel.
    """

    exif: tf.Tensor
    transparent: tf.Tensor


def jpeg_header(jpeg: tf.Tensor) -> JpegHeader:
    """Reads the segments of a JPEG as far as its frame's, before which EXIF has its place.

    Args:
        jpeg: The file, a string.
    """

    def follow(
        at: tf.Tensor, exif: tf.Tensor, components: tf.Tensor, _: tf.Tensor
    ) -> tuple[tf.Tensor, ...]:
        head = tf.cast(octets(jpeg, at, 10), tf.int32)
        marker, length = head[1], head[2] * 256 + head[3]
        is_exif = (exif == 0) & (marker == 0xE1) & matches(head[4:], _EXIF)
        is_frame = (marker >= 0xC0) & (marker <= 0xCF) & (marker % 4 != 0) | (marker == 0xC0)
        alone = (marker == 0x01) | (marker >= 0xD0) & (marker <= 0xD7)
        step = tf.where(marker == 0xFF, 1, tf.where(alone, 2, 2 + length))
        ended = (head[0] != 0xFF) | is_frame | (marker == 0xDA) | (marker == 0xD9)
        return (
            at + step,
            tf.where(is_exif, at + 10, exif),
            tf.where(is_frame, head[9], components),
            ended,
        )

    _, exif, components = walk(follow, 2, 0, 0)
    return JpegHeader(exif, components)


def png_header(png: tf.Tensor) -> PngHeader:
    """Reads which chunks a PNG has.

    Args:
        png: The file, a string.
    """

    def follow(
        at: tf.Tensor, exif: tf.Tensor, transparency: tf.Tensor, _: tf.Tensor
    ) -> tuple[tf.Tensor, ...]:
        kind = octets(png, at + 4, 4)
        ended = matches(kind, b"IEND") | (at + 12 >= tf.strings.length(png))
        return (
            at + 12 + place(png, at, 4, big=True),
            tf.where(matches(kind, b"eXIf"), at + 8, exif),
            tf.where(matches(kind, b"tRNS"), at + 8, transparency),
            ended,
        )

    _, exif, transparency = walk(follow, 8, 0, 0)
    return PngHeader(exif, transparency > 0)


def webp_exif(webp: tf.Tensor) -> tf.Tensor:
    """Returns the place of a WebP's EXIF data, int32; 0 for none.

    Args:
        webp: The file, a string.
    """

    def follow(at: tf.Tensor, exif: tf.Tensor, _: tf.Tensor) -> tuple[tf.Tensor, ...]:
        found = matches(octets(webp, at, 4), b"EXIF")
        length = place(webp, at + 4, 4)
        ended = found | (at + 8 >= tf.strings.length(webp))
        return at + 8 + length + length % 2, tf.where(found, at + 8, exif), ended

    exif = walk(follow, 12, 0)[1]
    # Some programs write JPEG's introduction here too.
    return exif + 6 * tf.cast((exif > 0) & matches(octets(webp, exif, 6), _EXIF), tf.int32)


def orientation(encoded: tf.Tensor, exif: tf.Tensor) -> tf.Tensor:
    """Returns the orientation of an image, 1 to 8, int32; 1, upright, where none is told.

    Args:
        encoded: The file, a string.
        exif: Place of its EXIF data, int32; 0 for none.
    """

    def read() -> tf.Tensor:
        big = octets(encoded, exif, 1)[0] == ord("M")
        table = exif + place(encoded, exif + 4, 4, big)
        count = tf.minimum(tf.cast(number(encoded, table, 2, big), tf.int32), _MOST_TAGS)
        tags = tf.reshape(octets(encoded, table + 2, 12 * count), [-1, 12])
        tags = tf.cast(tags, tf.int32)
        # Tag, kind, count and value, each with its highest byte first.
        tags = tf.where(big, tags, tf.gather(tags, [1, 0, 3, 2, 7, 6, 5, 4, 11, 10, 9, 8], axis=1))
        kinds = tags[:, 2] * 256 + tags[:, 3]
        first, second, third, fourth = tf.unstack(tags[:, 8:], axis=1)
        short = tf.where(big, first * 256 + second, third * 256 + fourth)
        byte = tf.where(big, first, fourth)
        long = tf.where(first + second > 0, 0, third * 256 + fourth)
        values = tf.where(kinds == _LONG, long, tf.where(kinds == _BYTE, byte, 0))
        values = tf.where(kinds == _SHORT, short, values)
        is_tag = tags[:, 0] * 256 + tags[:, 1] == _TAG
        return tf.reduce_max(tf.where(is_tag, values, 0))

    found = tf.cond(exif > 0, read, lambda: 1)
    return tf.where((found >= 1) & (found <= 8), found, 1)


def upright(image: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    """Turns an image as its orientation says.

    Args:
        image: [rows, columns, channels].
        orientation: 1 to 8, int32.

    Returns:
        The image as a viewer shows it.
    """
    mirrored = tf.reduce_any(orientation == [2, 3, 6, 7])
    upside_down = tf.reduce_any(orientation == [3, 4, 7, 8])
    image = tf.cond(orientation >= 5, lambda: tf.transpose(image, [1, 0, 2]), lambda: image)
    image = tf.cond(mirrored, lambda: tf.reverse(image, [1]), lambda: image)
    return tf.cond(upside_down, lambda: tf.reverse(image, [0]), lambda: image)
