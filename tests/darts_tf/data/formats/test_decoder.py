"""Image files of all kinds, against Pillow, or against the pixels that they were written with."""

import io
import itertools

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageOps

from darts_tf.data.formats.decoder import Traits, decode_image
from tests.images import png, random_pixels


def saved(image: Image.Image, kind: str, **settings) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **settings)
    return buffer.getvalue()


def on_white(content: bytes) -> np.ndarray:
    """What Pillow shows on white, upright."""
    with Image.open(io.BytesIO(content)) as opened:
        image = ImageOps.exif_transpose(opened).convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image)
    return np.asarray(white.convert("RGB"), int)


def check(content: bytes, *traits: str, right: np.ndarray | None = None, levels: int = 1) -> None:
    found = decode_image(content)
    right = on_white(content) if right is None else right
    assert found.pixels.dtype == tf.uint8
    np.testing.assert_allclose(found.pixels.numpy().astype(int), right, atol=levels)
    names = [n for n, is_so in zip(Traits._fields, found.traits.numpy(), strict=True) if is_so]
    assert names == list(traits)


def exif(orientation: int, big: bool = False) -> Image.Exif:
    written = Image.Exif()
    written.endian = ">" if big else "<"
    written[0x010F] = "a maker's name, which stands before the tag that counts"
    written[0x0112] = orientation
    return written


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("JPEG", {"quality": 95}),
        ("JPEG", {"quality": 95, "progressive": True, "comment": b"\xff\xe1" * 300}),
        ("PNG", {}),
        ("WEBP", {"lossless": True}),
    ],
)
def test_all_eight_orientations_are_turned_upright(kind, settings, orientation, seed):
    pixels = np.kron(random_pixels(seed, 2, 3), np.ones((8, 8, 1), np.uint8))
    for big in (False, True):
        content = saved(Image.fromarray(pixels), kind, exif=exif(orientation, big), **settings)
        turned = ["turned"] if orientation > 1 else []
        check(content, *turned, levels=12 if kind == "JPEG" else 0)
        assert decode_image(content).pixels.shape[0] == (24 if orientation > 4 else 16)


def test_a_telephones_picture_is_red_above_blue():
    scene = np.zeros((16, 16, 3), np.uint8)
    scene[:8, :, 0] = scene[8:, :, 2] = 255
    # As the camera stores them: the scene turned by what undoes the tag.
    for orientation, stored in {
        3: scene[::-1, ::-1],
        6: np.rot90(scene),
        8: np.rot90(scene, 3),
    }.items():
        content = saved(Image.fromarray(stored), "PNG", exif=exif(orientation))
        check(content, "turned", right=scene, levels=0)


@pytest.mark.parametrize("orientation", [0, 9, 255, 65535])
def test_an_orientation_that_there_is_not_is_none(orientation, seed):
    image = Image.fromarray(random_pixels(seed, 5, 7))
    check(saved(image, "PNG", exif=exif(orientation)), right=np.asarray(image, int))


def test_exif_that_is_cut_off_or_nonsense_changes_nothing(seed):
    random = np.random.default_rng(seed)
    image = Image.fromarray(random_pixels(seed, 5, 7))
    for size in range(0, 40, 3):
        data = b"Exif\0\0MM\0*\xff\xff\xff\xff"[:size] + random.bytes(max(0, size - 14))
        found = decode_image(saved(image, "PNG", exif=data)).pixels.numpy()
        assert sorted(found.shape) == [3, 5, 7]


@pytest.mark.parametrize(
    ("mode", "traits"),
    [
        ("L", ["grey"]),
        ("LA", ["grey", "alpha"]),
        ("RGB", []),
        ("RGBA", ["alpha"]),
        ("P", ["palette"]),
    ],
)
def test_modes_of_png(mode, traits, seed):
    image = Image.fromarray(random_pixels(seed, 13, 9, 4))
    image = image.convert("RGB").quantize(13) if mode == "P" else image.convert(mode)
    check(saved(image, "PNG"), *traits)


def test_transparent_colors_of_png_lie_on_white(seed):
    pixels = random_pixels(seed, 13, 9)
    colors = Image.fromarray(pixels).quantize(13)
    check(saved(colors, "PNG", transparency=3), "palette", "alpha")
    check(saved(colors, "PNG", transparency=bytes(range(0, 130, 10))), "palette", "alpha")
    key = tuple(map(int, pixels[4, 4]))
    check(saved(Image.fromarray(pixels), "PNG", transparency=key), "alpha")
    check(saved(Image.fromarray(pixels[..., 0]), "PNG", transparency=key[0]), "grey", "alpha")


@pytest.mark.parametrize(
    ("depth", "channels"), [(1, 1), (2, 1), (4, 1), *itertools.product((8, 16), (1, 2, 3, 4))]
)
def test_every_depth_of_png_is_brought_to_a_byte(depth, channels, seed):
    levels = np.random.default_rng(seed).integers(0, 2**depth, (6, 16, channels))
    share = levels / (2**depth - 1)
    alpha = share[..., -1:] if channels in (2, 4) else 1
    color = share[..., : channels - 1 + channels % 2]
    right = np.broadcast_to(255 * (color * alpha + 1 - alpha), (6, 16, 3))
    traits = [
        *(["grey"] if channels < 3 else []),
        *(["alpha"] if channels in (2, 4) else []),
        *(["deep"] if depth == 16 else []),
    ]
    check(png(levels, depth), *traits, right=right)


@pytest.mark.parametrize("interlace", [0, 1])
def test_transparent_colors_of_gif_lie_on_white(interlace, seed):
    image = Image.fromarray(random_pixels(seed, 13, 9)).quantize(13)
    settings = {"interlace": interlace, "comment": b"x" * 700}
    check(saved(image, "GIF", **settings), "palette", levels=0)
    # Pillow drops a transparency that no pixel has.
    used = int(np.asarray(image)[0, 0])
    check(saved(image, "GIF", transparency=used, **settings), "palette", "alpha", levels=0)


def test_the_first_picture_of_an_animation_is_read_and_white_is_around_a_small_one(seed):
    first, second = (Image.fromarray(random_pixels(seed + i, 6, 5)).quantize(8) for i in (0, 1))
    used = int(np.asarray(first)[0, 0])
    animation = saved(first, "GIF", save_all=True, append_images=[second], transparency=used)
    check(animation, "palette", "alpha", right=on_white(saved(first, "GIF", transparency=used)))
    gif = bytearray(saved(first, "GIF"))
    gif[6:10] = bytes((9, 0, 8, 0))  # a canvas of 9 by 8
    frame = gif.index(b"," + bytes(4))
    gif[frame + 1 : frame + 5] = bytes((3, 0, 1, 0))  # left and top
    right = np.pad(
        np.asarray(first.convert("RGB"), int), ((1, 1), (3, 1), (0, 0)), constant_values=255
    )
    check(bytes(gif), "palette", "alpha", right=right, levels=0)


def test_jpegs_in_grey_color_and_cmyk(seed):
    image = Image.fromarray(np.kron(random_pixels(seed, 2, 3), np.ones((8, 8, 1), np.uint8)))
    check(saved(image, "JPEG", quality=95), levels=12)
    check(saved(image.convert("L"), "JPEG", quality=95), "grey", levels=4)
    check(saved(image.convert("CMYK"), "JPEG", quality=95), "cmyk", levels=12)


def test_webp_with_and_without_alpha(seed):
    image = Image.fromarray(random_pixels(seed, 13, 9, 4))
    check(saved(image, "WEBP", lossless=True, exact=True), "alpha")
    check(saved(image, "WEBP", lossless=True, exif=exif(6)), "alpha", "turned")
    check(saved(image.convert("RGB"), "WEBP", lossless=True), levels=0)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"BM" + bytes(80),
        b"\xff\xd8\xff" + b"\xff" * 9999,
        b"GIF89a",
        b"RIFF1234WEBP",
        b"\x89PNG\r\n\x1a\n",
        b"II*\0" + bytes(99),
        b"no image",
    ],
)
def test_what_is_no_image_is_refused(content):
    with pytest.raises(tf.errors.InvalidArgumentError):
        decode_image(content)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "WEBP"])
def test_a_file_that_is_cut_off_or_spoiled_is_refused_or_an_image(kind, seed):
    random = np.random.default_rng(seed)
    settings = {"exif": exif(6)} if kind in ("JPEG", "PNG", "WEBP") else {}
    content = saved(Image.fromarray(random_pixels(seed, 40, 50)), kind, **settings)
    with pytest.raises(tf.errors.InvalidArgumentError):
        decode_image(content[: int(len(content) * random.uniform(0.1, 0.9))])
    for _ in range(20):
        spoiled = bytearray(content)
        for place in random.integers(0, len(content), 3):
            spoiled[place] = random.integers(0, 256)
        try:
            pixels = decode_image(bytes(spoiled)).pixels
        except tf.errors.InvalidArgumentError:
            continue
        assert pixels.shape[-1] == 3
