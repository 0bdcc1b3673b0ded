"""Draws the three folders of images on which docs/reuse.md has tried its settings.

    python -m tests.folders build/folders

They are `shapes`, 240 JPEG files of four shapes; `digits`, scikit-learn's 1,797 digits as PNG; and
`textures`, 4,000 PNG files of five textures under noise.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
from scipy import ndimage
from sklearn.datasets import load_digits

SHAPES = ("bar", "circle", "cross", "square")
TEXTURES = ("blobs", "checks", "grain", "rings", "stripes")
_SIDE = 32
_GRID = np.mgrid[:_SIDE, :_SIDE] - (_SIDE - 1) / 2


def main() -> None:
    """Draws the folders."""
    parser = argparse.ArgumentParser("tests.folders", description=__doc__)
    parser.add_argument("folder", help="where they go")
    folder = parser.parse_args().folder
    random = np.random.default_rng(0)
    for name, suffix, images in (
        ("shapes", "jpg", shapes(random, 60)),
        ("digits", "png", digits()),
        ("textures", "png", textures(random, 800)),
    ):
        for number, (label, pixels) in enumerate(images):
            path = Path(folder, name, label, f"{number:04}.{suffix}")
            path.parent.mkdir(parents=True, exist_ok=True)
            keras.utils.save_img(path, pixels, scale=False)


def shapes(random: np.random.Generator, each: int) -> Iterator[tuple[str, np.ndarray]]:
    """Yields the class and the pixels, [32, 32, 3], of shapes of any color on any color.

    Args:
        random: The source of the places, sizes, colors and noise.
        each: Images of each class.
    """
    for label in SHAPES * each:
        y, x = np.abs(_GRID - random.uniform(-6, 6, (2, 1, 1)))
        size = random.uniform(5, 9)
        inside = {
            "bar": (y < size / 3) & (x < size),
            "circle": y**2 + x**2 < size**2,
            "cross": (np.minimum(y, x) < size / 4) & (np.maximum(y, x) < size),
            "square": np.maximum(y, x) < size,
        }[label]
        colors = random.uniform(0, 256, (2, 3))
        yield label, _noisy(random, np.where(inside[..., None], *colors), 20)


def digits() -> Iterator[tuple[str, np.ndarray]]:
    """Yields the class and the pixels, [8, 8, 1], of scikit-learn's digits."""
    found = load_digits()
    for label, image in zip(found.target, found.images, strict=True):
        yield str(label), np.round(image * (255 / 16))[..., None]


def textures(random: np.random.Generator, each: int) -> Iterator[tuple[str, np.ndarray]]:
    """Yields the class and the pixels, [32, 32, 3], of textures at any scale, angle and color.

    Args:
        random: The source of the scales, angles, colors and noise.
        each: Images of each class.
    """
    for label in TEXTURES * each:
        angle, phase, rate = random.uniform((0, 0, 0.6), (np.pi, 2 * np.pi, 1.4))
        along = rate * (np.cos(angle) * _GRID[0] + np.sin(angle) * _GRID[1])
        across = rate * (np.cos(angle) * _GRID[1] - np.sin(angle) * _GRID[0])
        noise = random.normal(size=(_SIDE, _SIDE))
        values = {
            "blobs": ndimage.gaussian_filter(noise, 1.5 / rate) * 6,
            "checks": np.sin(along + phase) * np.sin(across),
            "grain": ndimage.gaussian_filter(noise, 0.5) * 2,
            "rings": np.sin(np.hypot(along, across) + phase),
            "stripes": np.sin(along + phase),
        }[label]
        color = random.uniform(20, 80, 3)
        yield label, _noisy(random, 128 + color * values[..., None], 40)


def _noisy(random: np.random.Generator, pixels: np.ndarray, deviation: float) -> np.ndarray:
    return np.clip(np.round(pixels + random.normal(0, deviation, pixels.shape)), 0, 255)


if __name__ == "__main__":
    main()
