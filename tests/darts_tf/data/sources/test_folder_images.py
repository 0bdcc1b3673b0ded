"""A user's own images, written by TensorFlow's encoders and read into memory."""

import re
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from darts_tf import data
from darts_tf.data.augment.transforms import normalize
from darts_tf.errors import UserError


def png(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(tf.io.encode_png(pixels).numpy())


def fill(folder: Path, random, channels: int = 3, size=(12, 9), images: int = 10) -> dict:
    """Writes images of two classes and returns their pixels by their paths."""
    written = {}
    for name in ("cat", "dog"):
        for number in range(images):
            path = folder / name / f"{number:02}.png"
            written[path] = random.integers(0, 256, (*size, channels), np.uint8)
            png(path, written[path])
    return written


def load(folder: Path, size: int = 12) -> data.Dataset:
    return data.load(f"image_folder:{folder}", image_size=size)


def test_pixels_and_labels_are_those_of_the_files_in_a_fixed_mixed_order(tmp_path, seed):
    written = fill(tmp_path, np.random.default_rng(seed), size=(12, 12))
    loaded, again = load(tmp_path), load(tmp_path)
    assert (len(loaded.train), len(loaded.test)) == (16, 4)
    assert (loaded.facts.train_images, loaded.facts.test_images) == (16, 4)
    np.testing.assert_array_equal(loaded.train.images, again.train.images)
    found = {
        (image.tobytes(), int(label))
        for split in (loaded.train, loaded.test)
        for image, label in zip(split.images, split.labels, strict=True)
    }
    labels = {"cat": 0, "dog": 1}
    assert found == {
        (pixels.tobytes(), labels[path.parent.name]) for path, pixels in written.items()
    }
    assert loaded.train.labels.dtype == np.int32
    # Both portions of a search hold both classes.
    assert all(set(portion.labels) == {0, 1} for portion in loaded.train.portions(0.5))


def test_resizing_is_pillows_to_a_grey_level(tmp_path, seed):
    written = fill(tmp_path, np.random.default_rng(seed), size=(37, 50), images=5)
    loaded = load(tmp_path, 16)
    twins = [
        np.asarray(Image.fromarray(written[tmp_path / name / "04.png"]).resize((16, 16), 2), int)
        for name in ("cat", "dog")
    ]
    np.testing.assert_allclose(loaded.test.images, twins, atol=1)


def test_mean_and_standard_deviation_are_those_of_the_training_images(tmp_path, seed):
    fill(tmp_path, np.random.default_rng(seed))
    loaded = load(tmp_path)
    normalized = normalize(loaded.train.images, loaded.facts).numpy()
    np.testing.assert_allclose(normalized.mean(axis=(0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(normalized.std(axis=(0, 1, 2)), 1, atol=1e-5)


def test_images_of_one_color_are_read_without_a_division_by_zero(tmp_path):
    for name in ("a", "b"):
        for number in range(5):
            png(tmp_path / name / f"{number}.png", np.full((8, 8, 3), 7, np.uint8))
    facts = load(tmp_path, 8).facts
    assert facts.deviation == (1.0, 1.0, 1.0)


@pytest.mark.parametrize(("written", "read"), [(1, 1), (2, 1), (3, 3), (4, 3)])
def test_all_grey_is_grey_and_an_alpha_that_all_have_is_dropped(tmp_path, seed, written, read):
    pixels = fill(tmp_path, np.random.default_rng(seed), written, size=(12, 12))
    loaded = load(tmp_path)
    assert loaded.train.shape == (12, 12, read)
    assert loaded.facts.channels == len(loaded.facts.mean) == read
    np.testing.assert_array_equal(
        loaded.test.images[0], pixels[tmp_path / "cat" / "04.png"][..., :read]
    )


@pytest.mark.parametrize(
    ("odd", "kind"), [(1, "grey"), (2, "grey with alpha"), (4, "in color with alpha")]
)
def test_a_grey_or_alpha_image_among_colored_ones_is_named(tmp_path, seed, odd, kind):
    fill(tmp_path, np.random.default_rng(seed))
    path = tmp_path / "dog" / "03.png"
    png(path, np.zeros((5, 5, odd), np.uint8))
    line = f"{path}, which is {kind}, and {tmp_path}/cat/00.png, which is in color"
    with pytest.raises(UserError, match=re.escape(line)):
        load(tmp_path)


@pytest.mark.parametrize("content", ["", "not an image", "jpeg", "png", "bmp", "gif"])
def test_a_file_that_is_cut_off_or_no_image_is_named(tmp_path, seed, content):
    random = np.random.default_rng(seed)
    fill(tmp_path, random)
    path = tmp_path / "cat" / "04.jpg"
    if content in ("jpeg", "png", "bmp", "gif"):
        Image.fromarray(random.integers(0, 256, (64, 64, 3), np.uint8)).save(path, content)
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * random.uniform(0.1, 0.95))])
    else:
        path.write_text(content)
    with pytest.raises(UserError, match=re.escape(f"got {path}, which cannot be decoded")):
        load(tmp_path)


def test_every_format_is_read(tmp_path, seed):
    random = np.random.default_rng(seed)
    image = Image.fromarray(np.full((10, 20, 3), random.integers(0, 256, 3), np.uint8))
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for suffix in ("jpg", "JPEG", "png", "bmp", "gif"):
            image.save(tmp_path / name / f"x{suffix}.{suffix}")
    loaded = load(tmp_path, 8)
    pixels = np.concatenate([loaded.train.images, loaded.test.images]).astype(int)
    assert np.abs(pixels - np.asarray(image)[0, 0]).max() <= 4
