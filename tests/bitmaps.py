"""BMP files written byte by byte, of kinds that no library at hand writes."""

import struct

import numpy as np

# By name: the size of the second header.
HEADERS = {"OS/2 1": 12, "OS/2 2": 64, "OS/2 2 short": 16, "Windows": 40, "V4": 108, "V5": 124}


def bitmap(
    rows: np.ndarray,
    depth: int,
    *,
    header: int = 40,
    table: np.ndarray | None = None,
    masks: tuple[int, ...] = (),
    compression: int | None = None,
    top_down: bool = False,
    gap: int = 0,
) -> bytes:
    """Writes a BMP.

    Args:
        rows: What each pixel is written as: a place in the table, or a word; int [rows, columns].
        depth: Bits a pixel.
        header: Size of the second header: 12 and 64 are OS/2's, 40 to 124 those of Windows.
        table: Red, green and blue, uint8 [colors, 3].
        masks: Red, green, blue and perhaps alpha, where they are told.
        compression: As the file tells it; as the masks need it if None.
        top_down: Whether the first row comes first.
        gap: Unused bytes before the pixels.
    """
    height, width = rows.shape
    if compression is None:
        compression = 0 if not masks else 3 if len(masks) == 3 or header >= 56 else 6
    colors = b""
    if table is not None:
        entries = [bytes(color[::-1]) + b"\0" * (header != 12) for color in table.tolist()]
        colors = b"".join(entries)
    told = -height if top_down else height
    if header == 12:
        fields = struct.pack("<IHHHH", header, width, height, 1, depth)
    else:
        used = 0 if table is None else len(table) % 2**depth
        fields = struct.pack(
            "<IiiHHIIiiII", header, width, told, 1, depth, compression, 0, 0, 0, used, 0
        )
        words = b"".join(struct.pack("<I", mask) for mask in masks)
        fields = (fields[: min(header, 40)] + words).ljust(header, b"\0")
    lines = []
    for row in rows if top_down else rows[::-1]:
        bits = "".join(f"{int(value):0{depth}b}" for value in row) if depth < 16 else ""
        if depth < 16:
            line = int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8))
        else:
            line = b"".join(int(value).to_bytes(depth // 8, "little") for value in row)
        lines.append(line.ljust(-(-len(line) // 4) * 4, b"\0"))
    pixels = b"".join(lines)
    start = 14 + len(fields) + len(colors) + gap
    first = struct.pack("<2sIHHI", b"BM", start + len(pixels), 0, 0, start)
    return first + fields + colors + bytes(gap) + pixels
