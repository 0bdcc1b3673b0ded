import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.data.augment import transforms
from darts_tf.data.augment.auto_augment import auto_augment
from darts_tf.data.augment.color_jitter import color_jitter
from darts_tf.data.augment.mixup import mixup
from darts_tf.data.augment.soft_labels import smooth
from darts_tf.data.sources.catalog import DATASETS

CIFAR10 = DATASETS["cifar10"]
# Keeps pixels as they are, so that a transform's geometry and colours can be read off.
PLAIN = dataclasses.replace(CIFAR10, mean=(0.0,) * 3, deviation=(1 / 255,) * 3)
RESIZED = dataclasses.replace(PLAIN, crop="resized", policy="imagenet")


def key(seed: int) -> tf.Tensor:
    return tf.constant([seed, 7], tf.int32)


def unlike(expected: float, count: int) -> float:
    """Five standard deviations of a frequency: a fair draw leaves it once in two million."""
    return 5 * np.sqrt(expected * (1 - expected) / count)


def test_every_shift_within_the_padding_is_equally_likely(seed):
    count, size, pad = 4000, 9, 2
    images = np.zeros((count, size, size, 1), np.uint8)
    images[:, 4, 4] = 255
    shifted = transforms.pad_and_crop(tf.constant(images), key(seed), pad).numpy()
    assert shifted.shape == images.shape
    number, rows, columns, _ = np.nonzero(shifted)
    np.testing.assert_array_equal(number, np.arange(count))
    for shifts in (rows - 4, columns - 4):
        values, frequencies = np.unique(shifts, return_counts=True)
        assert values.tolist() == [-2, -1, 0, 1, 2]
        np.testing.assert_allclose(frequencies / count, 0.2, atol=unlike(0.2, count))
    assert abs(np.corrcoef(rows, columns)[0, 1]) < 5 / np.sqrt(count)


def test_what_a_shift_uncovers_is_zero_and_the_rest_is_the_image(seed):
    image = np.random.default_rng(seed).integers(1, 256, (5, 6, 3), np.uint8)
    shifted = transforms.pad_and_crop(tf.constant(np.tile(image, (30, 1, 1, 1))), key(seed), 2)
    padded = np.pad(image, [(2, 2), (2, 2), (0, 0)])
    possible = {
        padded[row : row + 5, column : column + 6].tobytes()
        for row in range(5)
        for column in range(5)
    }
    assert {one.tobytes() for one in shifted.numpy()} <= possible


def test_half_of_the_images_are_mirrored(seed):
    count = 4000
    image = np.random.default_rng(seed).integers(0, 256, (3, 4, 2), np.uint8)
    flipped = transforms.flip(tf.constant(np.tile(image, (count, 1, 1, 1))), key(seed)).numpy()
    same = (flipped == image).all(axis=(1, 2, 3))
    mirrored = (flipped == image[:, ::-1]).all(axis=(1, 2, 3))
    assert (same ^ mirrored).all()
    assert abs(mirrored.mean() - 0.5) < unlike(0.5, count)


def test_normalise_is_the_formula_in_numpy(seed):
    images = np.random.default_rng(seed).integers(0, 256, (4, 5, 5, 3), np.uint8)
    expected = (images / 255 - np.array(CIFAR10.mean)) / np.array(CIFAR10.deviation)
    normalized = transforms.normalize(tf.constant(images), CIFAR10)
    assert normalized.dtype == tf.float32
    np.testing.assert_allclose(normalized.numpy(), expected, atol=1e-6)


@pytest.mark.parametrize(("height", "width", "size"), [(12, 9, 6), (8, 8, 16), (32, 32, 16)])
def test_cutout_squares_are_those_of_a_plain_twin(seed, height, width, size):
    count = 1500
    cut = transforms.cutout(tf.ones((count, height, width, 2)), key(seed), size).numpy()
    twins = {}
    for row in range(height):
        for column in range(width):
            twin = np.ones((height, width, 2), np.float32)
            top, left = max(0, row - size // 2), max(0, column - size // 2)
            twin[top : row + size // 2, left : column + size // 2] = 0
            twins[twin.tobytes()] = twins.get(twin.tobytes(), 0) + 1
    found = {}
    for image in cut:
        found[image.tobytes()] = found.get(image.tobytes(), 0) + 1
    assert set(found) <= set(twins)
    for twin, centres in twins.items():
        expected = centres / (height * width)
        assert abs(found.get(twin, 0) / count - expected) < unlike(expected, count) + 5 / count
    area = sum(
        centres * (np.frombuffer(twin, np.float32) == 0).mean() for twin, centres in twins.items()
    ) / (height * width)
    assert abs((cut == 0).mean() - area) < 0.03


def test_cutout_leaves_the_rest_of_an_image_alone(seed):
    images = np.random.default_rng(seed).normal(size=(20, 10, 10, 3)).astype(np.float32)
    cut = transforms.cutout(tf.constant(images), key(seed), 4).numpy()
    assert ((cut == images) | (cut == 0)).all()
    assert ((cut == 0).sum(axis=(1, 2, 3)) >= 2 * 2 * 3).all()
    assert ((cut == 0).sum(axis=(1, 2, 3)) <= 4 * 4 * 3).all()


def test_the_square_is_zero_after_normalisation_and_the_padding_is_black(seed):
    white = tf.fill([500, 32, 32, 3], tf.constant(255, tf.uint8))
    images = transforms.training_transform(CIFAR10, 16)(white, key(seed)).numpy()
    mean, deviation = np.array(CIFAR10.mean), np.array(CIFAR10.deviation)
    black, full, square = -mean / deviation, (1 - mean) / deviation, np.zeros(3)
    kinds = [np.isclose(images, kind, atol=1e-5).all(axis=-1) for kind in (black, full, square)]
    assert (np.sum(kinds, axis=0) == 1).all()
    assert all(kind.any() for kind in kinds)


def test_a_transform_draws_crop_flip_and_cutout_independently(seed):
    count = 3000
    image = np.zeros((count, 32, 32, 3), np.uint8)
    image[:, 15, 10], image[:, 15, 11] = 100, 200
    plain = dataclasses.replace(CIFAR10, mean=(0.0,) * 3, deviation=(1.0,) * 3)
    shifted = transforms.search_transform(plain)(tf.constant(image), key(seed)).numpy()[..., 0]
    number, rows, columns = np.nonzero(shifted > 0.5)
    np.testing.assert_array_equal(number, np.arange(count))
    mirrored = columns > 15
    assert abs(mirrored.mean() - 0.5) < unlike(0.5, count)
    assert abs(np.corrcoef(mirrored, rows)[0, 1]) < 5 / np.sqrt(count)
    inner = np.where(mirrored, 31 - columns, columns)
    assert abs(np.corrcoef(mirrored, inner)[0, 1]) < 5 / np.sqrt(count)
    assert sorted(np.unique(inner - 11)) == list(range(-4, 5))


def test_digits_are_never_mirrored(seed):
    images = np.zeros((300, 8, 8, 1), np.uint8)
    images[:, 4, 3], images[:, 4, 4] = 50, 250
    moved = transforms.search_transform(DATASETS["digits"])(tf.constant(images), key(seed))
    for image in moved.numpy()[..., 0]:
        bright, dim = np.argwhere(image == image.max())[0], np.argsort(image.ravel())[-2]
        assert bright[1] == dim % 8 + 1


@pytest.mark.parametrize("name", DATASETS)
def test_same_seed_same_images_and_another_seed_others(name, seed):
    facts = DATASETS[name]
    shape = (16, facts.image_size, facts.image_size, facts.channels)
    images = tf.constant(np.random.default_rng(seed).integers(0, 256, shape, np.uint8))
    transform = transforms.training_transform(facts, 4)
    first, again = transform(images, key(seed)).numpy(), transform(images, key(seed)).numpy()
    np.testing.assert_array_equal(first, again)
    assert (transform(images, key(seed ^ 1)).numpy() != first).any()


def test_the_plain_transform_only_normalises(seed):
    images = tf.constant(np.random.default_rng(seed).integers(0, 256, (3, 32, 32, 3), np.uint8))
    transformed = transforms.plain_transform(CIFAR10)(images, key(seed)).numpy()
    np.testing.assert_array_equal(transformed, transforms.normalize(images, CIFAR10).numpy())


def pixels(transform: transforms.Transform, images: np.ndarray, seed: int) -> np.ndarray:
    """What a transform makes of images, as whole pixels."""
    return np.rint(transform(tf.constant(images), key(seed)).numpy()).astype(np.uint8)


def test_images_that_come_cropped_are_flipped_and_jittered_but_not_moved(seed):
    random = np.random.default_rng(seed)
    images = np.zeros((400, 8, 8, 3), np.uint8)
    images[:, 2:4, 1:3] = random.integers(60, 200, (400, 1, 1, 3))
    made = pixels(transforms.training_transform(RESIZED, 0), images, seed)
    bright = made.astype(int).sum(axis=-1) > made.astype(int).sum(axis=-1)[:, :1, :1]
    left, right = (np.zeros((8, 8), bool) for _ in range(2))
    left[2:4, 1:3] = right[2:4, 5:7] = True
    mirrored = (bright == right).all(axis=(1, 2))
    assert (mirrored | (bright == left).all(axis=(1, 2))).all()
    assert abs(mirrored.mean() - 0.5) < unlike(0.5, 400)
    colours = np.where(mirrored[:, None], made[:, 2, 5], made[:, 2, 1])
    assert (colours != images[:, 2, 1]).any(axis=-1).mean() > 0.9
    black = np.zeros_like(images)
    np.testing.assert_array_equal(
        pixels(transforms.training_transform(RESIZED, 0), black, seed), black
    )


def test_the_search_treats_cropped_images_as_the_training_does_without_cutout(seed):
    images = np.random.default_rng(seed).integers(0, 256, (20, 8, 8, 3), np.uint8)
    found = transforms.search_transform(RESIZED)(tf.constant(images), key(seed)).numpy()
    training = transforms.training_transform(RESIZED, 0)(tf.constant(images), key(seed)).numpy()
    np.testing.assert_array_equal(found, training)


@pytest.mark.parametrize("facts", [PLAIN, RESIZED], ids=["pad", "resized"])
def test_auto_augment_works_on_pixels_after_crop_and_flip_and_before_cutout(seed, facts):
    """On images of one colour, crop and flip do nothing, and so the policy can be seen alone."""
    colours = np.random.default_rng(seed).integers(0, 256, (600, 1, 1, 3), np.uint8)
    images = np.broadcast_to(colours, (600, 8, 8, 3))
    still = dataclasses.replace(facts, pad=0)
    made = pixels(transforms.training_transform(still, 0, auto_augment=True), images, seed)
    policy_seed = tf.random.fold_in(key(seed), 1)
    alone = auto_augment(tf.constant(images), policy_seed, facts.policy).numpy()
    jittered = color_jitter(tf.constant(images), policy_seed).numpy()
    np.testing.assert_array_equal(made, alone)
    assert (made != jittered).any()
    cut = pixels(transforms.training_transform(still, 4, auto_augment=True), images, seed)
    square = (cut != made).any(axis=(3,))
    assert (cut[square] == 0).all()
    assert square.sum(axis=(1, 2)).max() == 16


def test_without_auto_augment_padded_images_keep_their_colours(seed):
    images = np.random.default_rng(seed).integers(1, 256, (50, 8, 8, 3), np.uint8)
    made = pixels(transforms.training_transform(PLAIN, 0), images, seed)
    for image, found in zip(images, made, strict=True):
        colours = {tuple(pixel) for pixel in image.reshape(-1, 3)} | {(0, 0, 0)}
        assert {tuple(pixel) for pixel in found.reshape(-1, 3)} <= colours


def test_whole_batches_are_left_alone_where_nothing_is_asked_for():
    assert transforms.labelled_transform(10, 0.0, 0.0) is None


@pytest.mark.parametrize(("alpha", "smoothing"), [(0.4, 0.0), (0.0, 0.1), (0.4, 0.1)])
def test_labels_are_smoothed_and_mixed(seed, alpha, smoothing):
    random = np.random.default_rng(seed)
    images = tf.constant(random.normal(size=(9, 4, 4, 3)), tf.float32)
    labels = tf.constant(random.integers(0, 10, 9), tf.int32)
    transform = transforms.labelled_transform(10, alpha, smoothing)
    made, soft = transform(images, labels, key(seed))
    expected = images, smooth(labels, 10, smoothing)
    if alpha:
        mixed, certain = mixup(images, labels, key(seed), alpha, 10)
        expected = mixed, (1 - smoothing) * certain + smoothing / 10
    for found, twin in zip((made, soft), expected, strict=True):
        np.testing.assert_allclose(found.numpy(), twin.numpy(), atol=1e-6)
