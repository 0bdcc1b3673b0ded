"""Encoded images: they become the pixels that training read, and nonsense is an error."""

import io

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from darts_tf import data
from darts_tf.data.decoding import central_crop
from darts_tf.exporting.signatures import ENCODED, PIXELS, decode, signatures

LABELS = b"cat\nsea lion\nd\xc3\xa9j\xc3\xa0\n"


def encode(image, kind, **settings):
    file = io.BytesIO()
    image.save(file, kind, **settings)
    return file.getvalue()


def random_image(seed, mode="RGB", size=(9, 12)):
    """An image of Pillow's, with rows and columns as given."""
    bands = len(Image.new(mode, (1, 1)).getbands())
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, bands), np.uint8)
    bands = [Image.fromarray(pixels[..., i]) for i in range(bands)]
    return bands[0] if mode == "L" else Image.merge(mode, bands)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The signatures of a small model of gray images, and the model."""
    images = keras.Input((6, 8, 1))
    scaled = keras.layers.Rescaling(1 / 255)(images)
    scores = keras.layers.Dense(3, activation="softmax")(keras.layers.Flatten()(scaled))
    model = keras.Model(images, scores)
    labels = tmp_path_factory.mktemp("labels") / "labels.txt"
    labels.write_bytes(LABELS)
    return signatures(model, labels)[1], model


@pytest.mark.parametrize("kind", ["PNG", "BMP"])
def test_pixels_of_the_right_size_stay_as_they_are(kind, seed):
    for mode in ("RGB", "L"):
        image = random_image(seed, mode)
        found = decode(encode(image, kind), (9, 12, 3))
        np.testing.assert_array_equal(found, np.asarray(image.convert("RGB")))


def on_white(image: Image.Image) -> np.ndarray:
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image.convert("RGBA"))
    return np.asarray(white.convert("RGB"), int)


def test_alpha_lies_on_white_and_a_palette_looked_up(seed):
    color, gray = random_image(seed, "RGBA"), random_image(seed, "LA")
    palette = random_image(seed).quantize(16)
    for image, right in (
        (color, on_white(color)),
        (gray, on_white(gray)),
        (palette, np.asarray(palette.convert("RGB"))),
    ):
        np.testing.assert_allclose(decode(encode(image, "PNG"), (9, 12, 3)), right, atol=1)


def test_the_first_picture_of_a_gif_counts(seed):
    first, second = (random_image(seed + i).quantize(32) for i in range(2))
    gif = encode(first, "GIF", save_all=True, append_images=[second])
    with Image.open(io.BytesIO(gif)) as opened:
        right = np.asarray(opened.convert("RGB"))
    np.testing.assert_array_equal(decode(gif, (9, 12, 3)), right)


@pytest.mark.parametrize("settings", [{"quality": 95}, {"quality": 60, "progressive": True}])
def test_a_jpeg_is_the_one_of_another_decoder_to_a_few_levels(settings, seed):
    noise = np.random.default_rng(seed).integers(0, 256, (3, 4, 3), np.uint8)
    smooth = Image.fromarray(noise).resize((64, 48), Image.Resampling.BICUBIC)
    jpeg = encode(smooth, "JPEG", **settings)
    with Image.open(io.BytesIO(jpeg)) as opened:
        right = np.asarray(opened, int)
    assert np.abs(decode(jpeg, (48, 64, 3)).numpy() - right).mean() < 2


def test_an_image_in_color_becomes_gray_as_bright_as_pillows(seed):
    image = random_image(seed)
    found = decode(encode(image, "PNG"), (9, 12, 1)).numpy()[..., 0]
    assert np.abs(found - np.asarray(image.convert("L"), int)).max() <= 1
    gray = random_image(seed, "L")
    found = decode(encode(gray, "PNG"), (9, 12, 1)).numpy()[..., 0]
    np.testing.assert_array_equal(found, np.asarray(gray))


@pytest.mark.parametrize(("mode", "size"), [("RGB", (21, 34)), ("L", (5, 6)), ("RGB", (11, 4))])
def test_another_size_is_resized_as_images_to_train_with_are(mode, size, tmp_path, seed):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for number in range(5):
            image = random_image(seed + number, mode, size)
            (tmp_path / name / f"{number}.png").write_bytes(encode(image, "PNG"))
    loaded = data.load(f"image_folder:{tmp_path}", image_size=8)
    trained_on = {image.tobytes() for image in (*loaded.train.images, *loaded.test.images)}
    found = {
        decode((tmp_path / "a" / f"{number}.png").read_bytes(), (8, 8, loaded.facts.channels))
        .numpy()
        .astype(np.uint8)
        .tobytes()
        for number in range(5)
    }
    assert found == trained_on


@pytest.mark.parametrize("size", [(40, 61), (33, 20)])
def test_imagenets_images_are_cropped_as_those_to_test_with_are(size, seed):
    jpeg = encode(random_image(seed, size=size), "JPEG")
    found = decode(jpeg, (16, 16, 3), crop=True)
    np.testing.assert_array_equal(found, central_crop(tf.constant(jpeg), 16))


def test_images_of_all_kinds_in_one_batch_get_the_models_scores_and_names(served, seed):
    answers, model = served
    images = [
        encode(random_image(seed, "L", (6, 8)), "PNG"),
        encode(random_image(seed, "RGB", (30, 20)), "JPEG"),
        encode(random_image(seed, "RGBA", (3, 3)), "PNG"),
        encode(random_image(seed, "L", (7, 7)), "BMP"),
    ]
    pixels = np.stack([decode(image, (6, 8, 1)) for image in images])
    found = {key: value.numpy() for key, value in answers[ENCODED](tf.constant(images)).items()}
    names = LABELS.split(b"\n")[:3]
    np.testing.assert_allclose(found["scores"], model.predict(pixels, verbose=0), atol=1e-6)
    assert found["classes"].tolist() == [names] * 4
    assert found["label"].tolist() == [names[i] for i in found["scores"].argmax(1)]
    same = answers[PIXELS](tf.constant(pixels))
    for key, value in found.items():
        np.testing.assert_array_equal(value, same[key])


def test_a_batch_of_nothing_is_answered_with_nothing(served):
    answers, _ = served
    found = answers[ENCODED](tf.constant([], tf.string))
    assert {key: value.shape.as_list() for key, value in found.items()} == {
        "scores": [0, 3],
        "classes": [0, 3],
        "label": [0],
    }


def junk(seed):
    png = encode(random_image(seed), "PNG")
    return [b"", b"junk", png[: len(png) // 2], encode(random_image(seed), "TIFF"), b"\x89PNG\r\n"]


def test_nonsense_is_an_error_and_the_next_request_is_answered(served, seed):
    answers, _ = served
    good = encode(random_image(seed), "PNG")
    for bytes_of_nothing in junk(seed):
        with pytest.raises(tf.errors.InvalidArgumentError):
            answers[ENCODED](tf.constant([good, bytes_of_nothing]))
        assert answers[ENCODED](tf.constant([good]))["scores"].shape == (1, 3)
