"""A user's own images, written by TensorFlow's encoders and read into memory."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from darts_tf import data
from darts_tf.data.augment.transforms import normalize
from darts_tf.errors import UserError
from darts_tf.exporting.signatures import decode
from tests.bitmaps import bitmap
from tests.images import png


def png_of(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(tf.io.encode_png(pixels).numpy())


# Of endings that Pillow does not know.
FORMATS = {"jfif": "JPEG", "jpe": "JPEG"}


def encoded(image: Image.Image, kind: str, **settings) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **settings)
    return buffer.getvalue()


def turned(orientation: int) -> Image.Exif:
    tag = Image.Exif()
    tag[0x0112] = orientation
    return tag


def fill(folder: Path, random, channels: int = 3, size=(12, 9), images: int = 10) -> dict:
    """Writes images of two classes and returns their pixels by their paths."""
    written = {}
    for name in ("cat", "dog"):
        for number in range(images):
            path = folder / name / f"{number:02}.png"
            written[path] = random.integers(0, 256, (*size, channels), np.uint8)
            png_of(path, written[path])
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
            png_of(tmp_path / name / f"{number}.png", np.full((8, 8, 3), 7, np.uint8))
    facts = load(tmp_path, 8).facts
    assert facts.deviation == (1.0, 1.0, 1.0)


@pytest.mark.parametrize(("written", "read"), [(1, 1), (2, 1), (3, 3), (4, 3)])
def test_all_grey_is_grey_and_transparency_lies_on_white(tmp_path, seed, written, read):
    pixels = fill(tmp_path, np.random.default_rng(seed), written, size=(12, 12))
    loaded = load(tmp_path)
    assert loaded.train.shape == (12, 12, read)
    assert loaded.facts.channels == len(loaded.facts.mean) == read
    first = pixels[tmp_path / "cat" / "04.png"].astype(float)
    alpha = first[..., read:] / 255 if written > read else 1
    right = first[..., :read] * alpha + 255 * (1 - alpha)
    np.testing.assert_allclose(loaded.test.images[0], right, atol=0.51)


def test_a_mixture_is_read_as_color_and_each_kind_is_counted(tmp_path, seed, caplog):
    random = np.random.default_rng(seed)
    fill(tmp_path, random, size=(9, 9), images=5)
    kinds = {"L": 2, "LA": 1, "RGBA": 3, "P": 4}
    for mode, count in kinds.items():
        for number in range(count):
            image = Image.fromarray(random.integers(0, 256, (9, 9, 4), np.uint8))
            image = image.convert("RGB").quantize(9) if mode == "P" else image.convert(mode)
            image.save(tmp_path / "dog" / f"{mode}{number}.png")
    (tmp_path / "cat" / "deep.png").write_bytes(png(random.integers(0, 2**16, (9, 9, 3)), 16))
    cmyk = Image.fromarray(random.integers(0, 256, (9, 9, 3), np.uint8)).convert("CMYK")
    cmyk.save(tmp_path / "cat" / "cmyk.jpg")
    tag = Image.Exif()
    tag[0x0112] = 6
    cmyk.convert("RGB").save(tmp_path / "cat" / "turned.jpg", exif=tag)
    with caplog.at_level("INFO"):
        loaded = load(tmp_path, 9)
    assert loaded.train.shape == (9, 9, 3)
    assert dict(loaded.account.kinds) == {
        "in color": 10 + 3 + 2,
        "grey": 3,
        "with a palette": 4,
        "in CMYK": 1,
    }
    assert list(loaded.account.remarks.values()) == [4, 1, 1]
    [line] = [line for line in caplog.messages if "read as color" in line]
    assert "15 in color" in line
    assert "4 with transparency" in line
    assert "1 of 16 bits" in line
    assert "1 turned upright" in line
    assert f"image_folder:{tmp_path}: 23 images of 2 classes, 19 to train and 4" in caplog.text


@pytest.mark.parametrize("size", [9, 8])
@pytest.mark.parametrize("grey", [False, True])
def test_the_pixels_to_train_on_are_those_that_are_served(tmp_path, seed, size, grey):
    """One file of each kind in a class of its own, so that the labels tell the files."""
    random = np.random.default_rng(seed)
    image = Image.fromarray(random.integers(0, 256, (9, 9, 4), np.uint8))
    grey_table = np.repeat(random.integers(0, 256, (256, 1), np.uint8), 3, axis=1)
    files = {
        "grey.png": encoded(image.convert("L"), "PNG"),
        "alpha.png": encoded(image.convert("LA"), "PNG"),
        "deep.png": png(random.integers(0, 2**16, (9, 9, 1)), 16),
        "table.bmp": bitmap(random.integers(0, 256, (9, 9)), 8, table=grey_table),
        "grey.jpg": encoded(image.convert("L"), "JPEG", exif=turned(8)),
    }
    if not grey:
        colors = image.convert("RGB").quantize(9)
        table = random.integers(0, 256, (16, 3), np.uint8)
        files |= {
            "alpha.webp": encoded(image, "WEBP", exif=turned(5)),
            "color.gif": encoded(colors, "GIF", transparency=int(np.asarray(colors)[0, 0])),
            "table.png": encoded(colors, "PNG", transparency=3),
            "colors.bmp": bitmap(random.integers(0, 16, (9, 9)), 4, header=12, table=table),
            "masks.bmp": bitmap(random.integers(0, 2**16, (9, 9)), 16, masks=(0xF800, 0x7E0, 31)),
            "cmyk.jpg": encoded(image.convert("CMYK"), "JPEG"),
            **{
                f"{tag}.jpeg": encoded(image.convert("RGB"), "JPEG", exif=turned(tag))
                for tag in range(1, 9)
            },
            **{f"{tag}.png": encoded(image, "PNG", exif=turned(tag)) for tag in range(1, 9)},
        }
    for split in ("train", "test"):
        for name, content in files.items():
            (tmp_path / split / name).mkdir(parents=True)
            (tmp_path / split / name / name).write_bytes(content)
    loaded = load(tmp_path, size)
    assert loaded.facts.channels == (1 if grey else 3)
    for pixels, label in zip(loaded.train.images, loaded.train.labels, strict=True):
        name = loaded.facts.classes[label]
        served = decode(tf.constant(files[name]), (size, size, loaded.facts.channels))
        np.testing.assert_array_equal(pixels, served, err_msg=name)


def test_images_of_one_color_are_counted(tmp_path, seed, caplog):
    random = np.random.default_rng(seed)
    fill(tmp_path, random)
    white_icon = np.full((9, 9, 4), 255, np.uint8)
    white_icon[..., 3] = random.integers(0, 256, (9, 9))
    png_of(tmp_path / "dog" / "00.png", white_icon)
    load(tmp_path)
    [line] = [each.message for each in caplog.records if each.levelname == "WARNING"]
    assert line.endswith(
        f"1 of 20 images are of one color all over, as they are read: {tmp_path}/dog/00.png"
    )


def test_classes_without_a_test_image_are_warned_of(tmp_path, seed, caplog):
    random = np.random.default_rng(seed)
    fill(tmp_path, random, images=20)
    for number, name in enumerate(("hen", "owl", "pig")):
        for image in range(number + 1):
            png_of(tmp_path / name / f"{image}.png", random.integers(0, 256, (9, 9, 3), np.uint8))
    loaded = load(tmp_path)
    [line] = [each.message for each in caplog.records if each.levelname == "WARNING"]
    assert line.endswith("2 of 5 classes have no test image: hen, owl")
    assert loaded.account.classes == {
        "cat": (16, 4),
        "dog": (16, 4),
        "hen": (1, 0),
        "owl": (2, 0),
        "pig": (2, 1),
    }


def test_damaged_files_can_be_left_out_and_are_listed(tmp_path, seed, caplog):
    written = fill(tmp_path, np.random.default_rng(seed), size=(9, 9))
    lost = [tmp_path / "cat" / "03.png", tmp_path / "dog" / "09.png"]
    lost[0].write_bytes(lost[0].read_bytes()[:60])
    lost[1].write_text("no image")
    request = data.DataRequest(f"image_folder:{tmp_path}", image_size=9, skip_damaged=True)
    loaded = data.find(request).load()
    assert (len(loaded.train), len(loaded.test)) == (15, 3)
    assert (loaded.facts.train_images, loaded.facts.test_images) == (15, 3)
    found = {image.tobytes() for split in (loaded.train, loaded.test) for image in split.images}
    assert found == {pixels.tobytes() for path, pixels in written.items() if path not in lost}
    assert loaded.account.damaged == [str(path) for path in lost]
    assert f"2 damaged files are left out: {lost[0]}, {lost[1]}" in caplog.text
    for path in (tmp_path / "dog").iterdir():
        path.write_text("no image")
    with pytest.raises(UserError, match="images of class dog that can be decoded, got damaged"):
        data.find(request).load()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"II*\0" + bytes(50), "a TIFF"),
        (bytes(4) + b"ftypheic" + bytes(50), "a HEIC"),
        (bitmap(np.zeros((9, 9), int), 8, compression=1), "a BMP with run-length compression"),
    ],
)
def test_a_file_of_a_kind_that_is_not_read_is_told_by_what_it_is(tmp_path, content, words):
    fill(tmp_path, np.random.default_rng(0))
    path = tmp_path / "cat" / "00.png"
    path.write_bytes(content)
    line = f"got {path}, {words}.*, which cannot be decoded; --skip_damaged leaves such files out$"
    with pytest.raises(UserError, match=line):
        load(tmp_path)


@pytest.mark.parametrize("content", ["", "not an image", "jpeg", "png", "bmp", "gif", "webp"])
def test_a_file_that_is_cut_off_or_no_image_is_named(tmp_path, seed, content):
    random = np.random.default_rng(seed)
    fill(tmp_path, random)
    path = tmp_path / "cat" / "04.jpg"
    if content in ("jpeg", "png", "bmp", "gif", "webp"):
        Image.fromarray(random.integers(0, 256, (64, 64, 3), np.uint8)).save(path, content)
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * random.uniform(0.1, 0.95))])
    else:
        path.write_text(content)
    with pytest.raises(UserError, match=rf"got {re.escape(str(path))},.* which cannot be decoded"):
        load(tmp_path)


def test_every_format_is_read(tmp_path, seed):
    random = np.random.default_rng(seed)
    image = Image.fromarray(np.full((10, 20, 3), random.integers(0, 256, 3), np.uint8))
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for suffix in ("jpg", "JPEG", "jpe", "jfif", "png", "bmp", "gif", "webp"):
            path = tmp_path / name / f"x{suffix}.{suffix}"
            image.save(path, FORMATS.get(suffix), lossless=True)  # WebP's choice
    loaded = load(tmp_path, 8)
    pixels = np.concatenate([loaded.train.images, loaded.test.images]).astype(int)
    assert np.abs(pixels - np.asarray(image)[0, 0]).max() <= 4
