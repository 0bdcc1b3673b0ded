"""Files in the folders of classes: which are images, and which are passed over, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

# What is decoded; the content of a file tells its format, whatever its name ends in.
SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".gif", ".webp")
# Folders that systems and programs leave behind.
_JUNK = frozenset(
    (
        "__macosx",
        "__pycache__",
        "@eadir",
        "@recycle",
        "#recycle",
        "#snapshot",
        "$recycle.bin",
        "lost+found",
        "system volume information",
    )
)
# The beginnings of files that may be called images and are of formats that are not read.
_BEGINNINGS = (
    (0, b"II*\0", "a TIFF"),
    (0, b"MM\0*", "a TIFF"),
    (0, b"8BPS", "a Photoshop file"),
    (0, b"\0\0\1\0", "an icon (ICO)"),
    (0, b"\xff\x0a", "a JPEG XL"),
    (0, b"\0\0\0\x0cJXL ", "a JPEG XL"),
    (0, b"\0\0\0\x0cjP  ", "a JPEG 2000"),
    (0, b"%PDF", "a PDF"),
    (0, b"<", "text in XML or HTML"),
    (4, b"ftypavif", "an AVIF"),
    (4, b"ftyp", "a HEIC or another file of that family"),
)


def is_ignored(entry: Path) -> bool:
    """Returns whether a file or folder is hidden, or left behind by a system."""
    return entry.name.startswith(".") or entry.name.lower() in _JUNK


def images_in(folder: Path, passed_over: Counter[str]) -> list[Path]:
    """Returns the images of a class.

    Args:
        folder: The folder of the class.
        passed_over: Counts what else there is, by why it is not taken.

    Returns:
        The files that end in one of `SUFFIXES`, in capitals or not, sorted.
    """
    images = []
    for entry in folder.iterdir():
        if is_ignored(entry):
            passed_over["hidden"] += 1
        elif entry.is_dir():
            passed_over["in folders within a class folder"] += count_images(entry)
        elif entry.suffix.lower() in SUFFIXES:
            images.append(entry)
        else:
            ending = f"that end in {entry.suffix.lower()}" if entry.suffix else "without an ending"
            passed_over[ending] += 1
    return sorted(images)


def count_images(folder: Path) -> int:
    """Returns the number of images below a folder, hidden ones left out."""
    return sum(1 for _ in _below(folder))


def format_of(content: bytes) -> str:
    r"""Returns what a file is that is not decoded, as far as its beginning tells; else "".

    Example:
        >>> format_of(b"II*\0...")
        'a TIFF'
    """
    found = (name for at, begin, name in _BEGINNINGS if content.startswith(begin, at))
    return next(found, "")


def _below(folder: Path) -> Iterator[Path]:
    for entry in folder.iterdir():
        if is_ignored(entry):
            continue
        if entry.is_dir() and not entry.is_symlink():
            yield from _below(entry)
        elif entry.suffix.lower() in SUFFIXES:
            yield entry
