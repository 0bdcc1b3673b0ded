"""Transparency of GIFs, of which TensorFlow's decoder makes black.

Source: Graphics Interchange Format, version 89a, sections 18 to 23.
"""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from darts_tf.data.formats.octets import matches, octets, place, require, walk

# After header and screen descriptor.
_BLOCKS = 13
_TABLE, _TABLE_SIZE, _TRANSPARENT = 0x80, 0x07, 0x01
# Of a canvas, which costs no byte of a file.
_MOST_PIXELS = 2**26
_WHITE = b"\xff\xff\xff"


class _Frame(NamedTuple):
    """Where the first frame of a GIF is told.

    Attributes:
        control: Place of the control extension before it, int32; 0 for none.
        at: Place of its descriptor, int32.
    """

    control: tf.Tensor
    at: tf.Tensor


def decode_gif(gif: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Decodes the first frame of a GIF, with white where it is transparent.

    The color of transparent pixels is made white, and opaque, in the file itself.

    Args:
        gif: The file, a string.

    Returns:
        Pixels, uint8 [rows, columns, 3], and whether there is a transparent color or a part of the
        canvas that the frame leaves free, bool [].
    """
    frame = _first_frame(gif)
    control = tf.cast(octets(gif, frame.control, 8), tf.int32)
    own = _byte(gif, frame.at + 9)
    shared = _byte(gif, 10)
    has_own = own & _TABLE != 0
    flags = tf.where(has_own, own, shared)
    colors = tf.where(flags & _TABLE != 0, 2 * 2 ** (flags & _TABLE_SIZE), 0)
    table = tf.where(has_own, frame.at + 10, _BLOCKS)
    is_transparent = (frame.control > 0) & (control[3] & _TRANSPARENT != 0)

    def opaque() -> tf.Tensor:
        byte = octets(gif, frame.control + 3, 1)[0] & (0xFF - _TRANSPARENT)
        whitened = _replaced(gif, table + 3 * control[6], tf.constant(_WHITE))
        return _replaced(whitened, frame.control + 3, _as_byte(byte))

    edited = tf.cond(is_transparent & (control[6] < colors), opaque, lambda: gif)
    left, top, width, height = (place(gif, frame.at + 1 + 2 * side, 2) for side in range(4))
    # TensorFlow would cut off what an offset moves beyond the frame's own size.
    edited = _replaced(edited, frame.at + 1, tf.constant(bytes(4)))
    image = tf.io.decode_image(edited, expand_animations=False)[:height, :width]
    columns = tf.maximum(place(gif, 6, 2), left + width)
    rows = tf.maximum(place(gif, 8, 2), top + height)
    columns = require(rows <= _MOST_PIXELS // columns, "a GIF on too large a canvas", columns)
    around = [[top, rows - top - height], [left, columns - left - width], [0, 0]]
    image = tf.pad(tf.ensure_shape(image, (None, None, 3)), around, constant_values=255)
    return image, is_transparent | (rows > height) | (columns > width)


def _first_frame(gif: tf.Tensor) -> _Frame:
    shared = _byte(gif, 10)
    colors = tf.where(shared & _TABLE != 0, 2 * 2 ** (shared & _TABLE_SIZE), 0)

    def follow(
        at: tf.Tensor, control: tf.Tensor, within: tf.Tensor, _: tf.Tensor
    ) -> tuple[tf.Tensor, ...]:
        """Steps over the introduction of an extension, or over one of the blocks within it."""
        head = octets(gif, at, 2)
        size = tf.cast(head[0], tf.int32)
        is_extension = (within == 0) & (head[0] == 0x21)
        is_control = is_extension & matches(head, b"\x21\xf9")
        step = tf.where(within > 0, 1 + size, tf.where(is_extension, 2, 0))
        inside = is_extension | (within > 0) & (size > 0)
        return (
            at + step,
            tf.where(is_control, at, control),
            tf.cast(inside, tf.int32),
            step == 0,
        )

    at, control, _ = walk(follow, _BLOCKS + 3 * colors, 0, 0)
    return _Frame(control, at)


def _byte(gif: tf.Tensor, at: tf.Tensor | int) -> tf.Tensor:
    return tf.cast(octets(gif, at, 1)[0], tf.int32)


def _replaced(gif: tf.Tensor, at: tf.Tensor, piece: tf.Tensor) -> tf.Tensor:
    length = tf.strings.length(gif)
    after = tf.minimum(at + tf.strings.length(piece), length)
    parts = [tf.strings.substr(gif, 0, at), piece, tf.strings.substr(gif, after, length)]
    return tf.strings.join(parts)


def _as_byte(value: tf.Tensor) -> tf.Tensor:
    """Returns a string of one byte."""
    every = tf.constant([bytes([byte]) for byte in range(256)])
    return every[tf.cast(value, tf.int32)]
