"""One decoder for the images of folders and of requests: JPEG, PNG, GIF, BMP and WebP."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from darts_tf.data.formats.bmp import decode_bmp
from darts_tf.data.formats.gif import decode_gif
from darts_tf.data.formats.octets import matches, octets, require
from darts_tf.data.formats.orientation import (
    jpeg_header,
    orientation,
    png_header,
    upright,
    webp_exif,
)

FORMATS = "JPEG, PNG, GIF, BMP or WebP"
# Of PNG: color types that are grey, that is with and without alpha; and that of a palette.
_GREY, _GREY_ALPHA, _PALETTE = 0, 4, 3


class Traits(NamedTuple):
    """The kind of image that a file holds, bool [] each.

    Attributes:
        grey: Whether it is stored in grey levels; a BMP's table of greys counts.
        palette: Whether its colors are those of a table.
        alpha: Whether it has an alpha channel or a transparent color.
        deep: Whether it has 16 bits a channel.
        cmyk: Whether it is a JPEG in cyan, magenta, yellow and black.
        turned: Whether its orientation is another than upright.
    """

    grey: tf.Tensor
    palette: tf.Tensor
    alpha: tf.Tensor
    deep: tf.Tensor
    cmyk: tf.Tensor
    turned: tf.Tensor


class Decoded(NamedTuple):
    """A decoded image.

    Attributes:
        pixels: Red, green and blue, uint8 [rows, columns, 3].
        traits: What the file is, bool [6], in the order of `Traits`.
    """

    pixels: tf.Tensor
    traits: tf.Tensor


@tf.function(input_signature=[tf.TensorSpec((), tf.string)], autograph=False)
def decode_image(encoded: tf.Tensor) -> Decoded:
    """Decodes an image of any kind as a viewer shows it, on white.

    Grey levels are repeated, colors of tables are looked up, of an animation the first picture is
    read, 16 bits are rounded to 8, what is transparent lies on white, and the image is turned
    upright as its EXIF orientation says.

    Args:
        encoded: A JPEG, PNG, GIF, BMP or WebP, a string.

    Raises:
        tf.errors.InvalidArgumentError: If it is none of them, damaged, or a kind that is not read,
            a BMP with run-length compression for instance; the message says what it is.
    """
    head = octets(encoded, 0, 12)
    kinds = [
        matches(head[:3], b"\xff\xd8\xff"),
        matches(head[:8], b"\x89PNG\r\n\x1a\n"),
        matches(head[:4], b"GIF8"),
        matches(head[:2], b"BM"),
        matches(head[:4], b"RIFF") & matches(head[8:], b"WEBP"),
    ]
    known = require(tf.reduce_any(kinds), f"expected a {FORMATS}", encoded)
    return tf.switch_case(
        tf.argmax(tf.stack(kinds), output_type=tf.int32),
        [lambda read=read: read(known) for read in (_jpeg, _png, _gif, _bmp, _webp)],
    )


def _jpeg(jpeg: tf.Tensor) -> Decoded:
    image = tf.io.decode_image(jpeg, expand_animations=False)
    header = jpeg_header(jpeg)
    turn = orientation(jpeg, header.exif)
    grey = tf.shape(image)[2] == 1
    image = upright(_in_color(image), turn)
    return _decoded(image, grey=grey, cmyk=header.components == 4, turned=turn != 1)


def _png(png: tf.Tensor) -> Decoded:
    depth, kind = tf.unstack(tf.cast(octets(png, 24, 2), tf.int32))
    header = png_header(png)
    alpha = (kind >= _GREY_ALPHA) | header.transparent
    deep = depth == 16

    def read(dtype: tf.DType) -> tf.Tensor:
        return tf.cond(
            alpha,
            lambda: on_white(tf.io.decode_png(png, channels=4, dtype=dtype)),
            lambda: _in_bytes(tf.io.decode_png(png, channels=3, dtype=dtype)),
        )

    image = tf.cond(deep, lambda: read(tf.uint16), lambda: read(tf.uint8))
    turn = orientation(png, header.exif)
    image = upright(image, turn)
    return _decoded(
        image,
        grey=(kind == _GREY) | (kind == _GREY_ALPHA),
        palette=kind == _PALETTE,
        alpha=alpha,
        deep=deep,
        turned=turn != 1,
    )


def _gif(gif: tf.Tensor) -> Decoded:
    image, alpha = decode_gif(gif)
    return _decoded(image, palette=True, alpha=alpha)


def _bmp(bmp: tf.Tensor) -> Decoded:
    bitmap = decode_bmp(bmp)
    return _decoded(
        on_white(bitmap.pixels),
        grey=bitmap.is_grey,
        palette=bitmap.has_table & ~bitmap.is_grey,
        alpha=bitmap.has_alpha,
    )


def _webp(webp: tf.Tensor) -> Decoded:
    image = tf.io.decode_image(webp, expand_animations=False)
    turn = orientation(webp, webp_exif(webp))
    alpha = tf.shape(image)[2] == 4
    image = tf.cond(alpha, lambda: on_white(image), lambda: _in_color(image))
    return _decoded(upright(image, turn), alpha=alpha, turned=turn != 1)


def on_white(image: tf.Tensor) -> tf.Tensor:
    """Lays an image with alpha on white.

    Args:
        image: Red, green, blue and alpha, uint8 or uint16 [..., 4].

    Returns:
        uint8 [..., 3]; where alpha is 255, the colors as they are.

    Example:
        >>> on_white(tf.constant([[0, 100, 200, 0], [0, 100, 200, 255]], tf.uint8)).numpy().tolist()
        [[255, 255, 255], [0, 100, 200]]
    """
    most = image.dtype.max

    def laid() -> tf.Tensor:
        wide = tf.cast(image, tf.int64)
        color, alpha = wide[..., :3], wide[..., 3:]
        numerator = 255 * (color * alpha + most * (most - alpha))
        return tf.cast((numerator + most**2 // 2) // most**2, tf.uint8)

    opaque = tf.reduce_all(image[..., 3] == most)
    return tf.cond(opaque, lambda: _in_bytes(image[..., :3]), laid)


def _in_bytes(image: tf.Tensor) -> tf.Tensor:
    """Returns uint8 of uint8 or uint16, rounded."""
    if image.dtype == tf.uint8:
        return image
    return tf.cast((tf.cast(image, tf.int32) + 128) // 257, tf.uint8)


def _in_color(image: tf.Tensor) -> tf.Tensor:
    """Returns an image of 1 or 3 channels, known when it is decoded, with 3."""
    grey = tf.shape(image)[2] == 1
    image = tf.cond(grey, lambda: tf.repeat(image, 3, axis=2), lambda: image)
    return tf.ensure_shape(image, (None, None, 3))


def _decoded(image: tf.Tensor, **traits: tf.Tensor | bool) -> Decoded:
    values = Traits(*(traits.get(name, False) for name in Traits._fields))
    return Decoded(
        tf.ensure_shape(image, (None, None, 3)),
        tf.stack([tf.convert_to_tensor(value, tf.bool) for value in values]),
    )
