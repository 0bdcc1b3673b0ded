"""Images to write: random pixels, and PNG files of any depth, which no library at hand writes."""

import struct
import zlib

import numpy as np

# PNG's number of a color type, by the channels.
_COLOR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}


def random_pixels(seed: int, height: int, width: int, channels: int = 3) -> np.ndarray:
    """Returns uint8 [height, width, channels]."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)


def png(levels: np.ndarray, depth: int) -> bytes:
    """Writes a PNG.

    Args:
        levels: From 0 to `2 ** depth - 1`, [rows, columns, channels]; a row fills whole bytes.
        depth: Bits a channel: 1, 2, 4, 8 or 16.
    """
    height, width, channels = levels.shape
    rows = b""
    for row in levels:
        bits = "".join(f"{level:0{depth}b}" for level in row.ravel().tolist())
        rows += b"\0" + int(bits, 2).to_bytes(len(bits) // 8)
    header = struct.pack(">IIBBBBB", width, height, depth, _COLOR_TYPES[channels], 0, 0, 0)
    parts = (_chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(rows)), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)
