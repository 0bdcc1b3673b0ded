"""BMP files of all uncompressed kinds: color tables, bit masks, top-down rows, headers of OS/2.

TensorFlow's own decoder takes the numbers of a color table for grey levels.

Source: Microsoft, "Bitmap Storage" and BITMAPINFOHEADER to BITMAPV5HEADER; IBM, OS/2 Presentation
Manager, BITMAPINFOHEADER and BITMAPINFOHEADER2.
"""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from darts_tf.data.formats.octets import number, octets, place, require

# Of the file header; the second header follows it.
_HEADER = 14
_OS2_1, _OS2_2, _FIRST, _LAST = 12, 64, 40, 124
# Compressions, of which bit fields are none.
_RGB, _RLE8, _RLE4, _BIT_FIELDS, _JPEG, _PNG, _ALPHA_BIT_FIELDS = range(7)
_COMPRESSED = {
    _RLE8: "a BMP with run-length compression (RLE8)",
    _RLE4: "a BMP with run-length compression (RLE4)",
    _JPEG: "a BMP that holds a JPEG, or is compressed as OS/2 does",
    _PNG: "a BMP that holds a PNG",
}
_DEPTHS = (1, 2, 4, 8, 16, 24, 32)
# Red, green, blue and alpha of pixels without masks of their own.
_MASKS = {
    16: (0x7C00, 0x03E0, 0x001F, 0),
    24: (0xFF0000, 0x00FF00, 0x0000FF, 0),
    32: (0xFF0000, 0x00FF00, 0x0000FF, 0),
}


class Bitmap(NamedTuple):
    """A decoded BMP.

    Attributes:
        pixels: Red, green, blue and alpha, uint8 [rows, columns, 4].
        has_table: Whether the colors are those of a table, bool [].
        is_grey: Whether all colors of that table are grey, bool [].
        has_alpha: Whether the file has alpha, bool []; 255 where it has none.
    """

    pixels: tf.Tensor
    has_table: tf.Tensor
    is_grey: tf.Tensor
    has_alpha: tf.Tensor


class _Layout(NamedTuple):
    """The headers, int32 each, and the four masks, int64 [4]."""

    header: tf.Tensor
    width: tf.Tensor
    height: tf.Tensor
    depth: tf.Tensor
    masks: tf.Tensor
    table: tf.Tensor
    colors: tf.Tensor
    start: tf.Tensor
    top_down: tf.Tensor


def decode_bmp(bmp: tf.Tensor) -> Bitmap:
    """Decodes a BMP.

    Args:
        bmp: The file, a string.

    Raises:
        tf.errors.InvalidArgumentError: If it is compressed, cut off or none; the message says what
            it is.
    """
    layout = _layout(bmp)
    stride = (layout.width * layout.depth + 31) // 32 * 4
    rows = octets(bmp, layout.start, stride * layout.height)
    rows = tf.reshape(rows, [layout.height, stride])
    rows = tf.cond(layout.top_down, lambda: rows, lambda: tf.reverse(rows, [0]))
    has_table = layout.depth <= 8
    colors = _table(bmp, layout)
    pixels = tf.switch_case(
        tf.where(has_table, 0, tf.where(layout.depth == 24, 1, 2)),
        [
            lambda: _looked_up(rows, colors, layout),
            lambda: _in_color(rows, layout),
            lambda: _masked(rows, layout),
        ],
    )
    is_grey = tf.reduce_all(colors[:, :1] == colors)
    return Bitmap(pixels, has_table, has_table & is_grey, ~has_table & (layout.masks[3] != 0))


def _layout(bmp: tf.Tensor) -> _Layout:
    header = place(bmp, _HEADER, 4)
    old = header == _OS2_1
    width = tf.where(old, number(bmp, 18, 2), number(bmp, 18, 4))
    signed = number(bmp, 22, 4)
    signed = tf.where(signed < 2**31, signed, signed - 2**32)
    height = tf.where(old, number(bmp, 20, 2), tf.abs(signed))
    depth = tf.where(old, number(bmp, 24, 2), number(bmp, 28, 2))
    compression = tf.where(header > 16, number(bmp, 30, 4), tf.constant(_RGB, tf.int64))
    known = old | (header == 16) | (header >= _FIRST) & (header <= _LAST)
    depth = require(known & tf.reduce_any(depth == _DEPTHS), "a BMP of an unknown kind", depth)
    # OS/2 uses numbers of Windows for compressions of its own.
    os2 = (header == _OS2_2) & (compression == _BIT_FIELDS)
    compression = tf.where(os2, tf.constant(_JPEG, tf.int64), compression)
    for kind, problem in _COMPRESSED.items():
        compression = require(compression != kind, problem, compression)
    plain = (compression == _RGB) | (depth == 16) | (depth == 32)
    fields = (compression == _BIT_FIELDS) | (compression == _ALPHA_BIT_FIELDS)
    known = (compression == _RGB) | fields & plain
    depth = require(known, "a BMP of an unknown kind", depth)
    has_alpha = (compression == _ALPHA_BIT_FIELDS) | (header >= 56)
    after = tf.where(header > _FIRST, 0, tf.where(compression == _RGB, 0, 12))
    after = tf.where((header == _FIRST) & (compression == _ALPHA_BIT_FIELDS), 16, after)
    table = _HEADER + header + after
    start = place(bmp, 10, 4)
    start = tf.where(start < table, table, start)
    entry = tf.where(old, 3, 4)
    used = tf.where(header >= _FIRST, place(bmp, 46, 4), 0)
    most = 2 ** tf.cast(tf.minimum(depth, 8), tf.int32)
    colors = tf.minimum(tf.where((used > 0) & (used < most), used, most), (start - table) // entry)
    length = tf.cast(tf.strings.length(bmp), tf.int64)
    # The padding of the last row may be missing.
    row, last = (width * depth + 31) // 32 * 4, (width * depth + 7) // 8
    needed = tf.cast(start, tf.int64) + row * (height - 1) + last
    sides = (width > 0) & (height > 0) & (width < 2**24) & (height < 2**24)
    width = require(sides & (needed <= length), "a BMP that is cut off", width)
    return _Layout(
        header,
        tf.cast(width, tf.int32),
        tf.cast(height, tf.int32),
        tf.cast(depth, tf.int32),
        tf.where(fields, _own_masks(bmp, has_alpha), _usual_masks(depth)),
        table,
        colors,
        start,
        ~old & (signed < 0),
    )


def _own_masks(bmp: tf.Tensor, has_alpha: tf.Tensor) -> tf.Tensor:
    masks = tf.stack([number(bmp, _HEADER + _FIRST + 4 * channel, 4) for channel in range(4)])
    return tf.where(has_alpha, masks, masks * [1, 1, 1, 0])


def _usual_masks(depth: tf.Tensor) -> tf.Tensor:
    masks = tf.constant([_MASKS[16], _MASKS[24], _MASKS[32]], tf.int64)
    return masks[tf.clip_by_value(tf.cast(depth, tf.int32) // 8 - 2, 0, 2)]


def _table(bmp: tf.Tensor, layout: _Layout) -> tf.Tensor:
    """Returns the table's colors, uint8 [256, 3], black where the file has none."""
    entry = tf.where(layout.header == _OS2_1, 3, 4)
    table = tf.reshape(octets(bmp, layout.table, entry * layout.colors), [layout.colors, entry])
    return tf.pad(tf.reverse(table[:, :3], [1]), [[0, 256 - layout.colors], [0, 0]])


def _looked_up(rows: tf.Tensor, colors: tf.Tensor, layout: _Layout) -> tf.Tensor:
    depth = tf.cast(layout.depth, tf.uint8)
    shifts = tf.cast(tf.range(8 // layout.depth - 1, -1, -1), tf.uint8) * depth
    most = tf.cast(2**layout.depth - 1, tf.uint8)
    numbers = tf.bitwise.right_shift(rows[..., tf.newaxis], shifts) & most
    numbers = tf.reshape(numbers, [layout.height, -1])[:, : layout.width]
    return _opaque(tf.gather(colors, tf.cast(numbers, tf.int32)))


def _in_color(rows: tf.Tensor, layout: _Layout) -> tf.Tensor:
    rows = rows[:, : 3 * layout.width]
    return _opaque(tf.reverse(tf.reshape(rows, [layout.height, layout.width, 3]), [2]))


def _masked(rows: tf.Tensor, layout: _Layout) -> tf.Tensor:
    size = layout.depth // 8
    words = rows[:, : size * layout.width]
    words = tf.cast(tf.reshape(words, [layout.height, layout.width, size]), tf.int64)
    words = tf.reduce_sum(words * 256 ** tf.cast(tf.range(size), tf.int64), axis=-1, keepdims=True)
    lowest = tf.maximum(layout.masks & -layout.masks, 1)
    levels = layout.masks // lowest
    found = (words & layout.masks) // lowest
    # A channel without a mask: no color, full alpha.
    scaled = (found * 255 + levels // 2) // tf.maximum(levels, 1)
    empty = tf.constant([0, 0, 0, 255], tf.int64)
    return tf.cast(tf.where(levels > 0, scaled, empty), tf.uint8)


def _opaque(image: tf.Tensor) -> tf.Tensor:
    return tf.pad(image, [[0, 0], [0, 0], [0, 1]], constant_values=255)
