"""AutoAugment: magnitudes, the frequencies of its draws, and what it makes of images."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.data.augment import auto_augment, image_ops
from darts_tf.data.augment.policies import POLICIES

MOVING = ("shear_x", "shear_y", "translate_x", "translate_y", "rotate")


def key(seed):
    return tf.constant([seed, 11], tf.int32)


def unlike(expected, count):
    """Six standard deviations of a frequency."""
    return 6 * np.sqrt(expected * (1 - expected) / count)


@pytest.mark.parametrize(
    ("operation", "levels"),
    [
        ("shear_x", {0: 0, 3: 0.1, 9: 0.3}),
        ("shear_y", {0: 0, 6: 0.2, 9: 0.3}),
        ("rotate", {0: 0, 3: 10, 9: 30}),
        # 150 of 331 pixels at most: 14.5 of 32.
        ("translate_x", {0: 0, 8: 12, 9: 14}),
        ("translate_y", {0: 0, 3: 9, 9: 29}),
        ("solarize", {0: 256, 4.5: 128, 9: 0}),
        ("posterize", {0: 8, 3: 7, 5: 6, 7: 5, 9: 4}),
        ("contrast", {0: 0.1, 4: 0.9, 5: 1.1, 9: 1.9}),
        ("color", {0: 0.1, 1: 0.3, 9: 1.9}),
        ("brightness", {0: 0.1, 6: 1.3, 9: 1.9}),
        ("sharpness", {0: 0.1, 2: 0.5, 9: 1.9}),
    ],
)
def test_ten_even_levels_span_the_ranges_of_the_paper(operation, levels):
    for level, expected in levels.items():
        found = auto_augment.magnitude(operation, level, (64, 32))
        assert found == pytest.approx(expected)


@pytest.mark.parametrize("policy", POLICIES)
def test_every_step_comes_as_often_as_the_policy_says(seed, policy):
    count, size = 200_000, (32, 32)
    draws = auto_augment.draw(policy, tf.constant(count), key(seed), size)
    for half in range(2):
        expected: dict[tuple[str, float], float] = {}
        for pair in POLICIES[policy]:
            name, probability, level = pair[half]
            magnitude = np.float32(auto_augment.magnitude(name, level, size))
            expected["identity", None] = expected.get(("identity", None), 0) + (1 - probability)
            for sign in (1, -1) if name in MOVING else (1,):
                share = probability / (2 if name in MOVING else 1)
                step = name, float(sign * magnitude)
                expected[step] = expected.get(step, 0) + share
        choices = draws.choices[:, half].numpy()
        magnitudes = draws.magnitudes[:, half].numpy()
        for (name, magnitude), share in expected.items():
            found = choices == auto_augment.OPERATIONS.index(name)
            if magnitude is not None:
                found &= magnitudes == magnitude
            assert abs(found.mean() - share / 25) <= unlike(share / 25, count), (name, magnitude)
        assert sum(expected.values()) == pytest.approx(25)


@pytest.mark.parametrize("policy", POLICIES)
def test_pairs_are_drawn_together_and_coins_apart(seed, policy):
    """The frequencies of both halves at once, which sub-policies drawn evenly have."""
    count, size = 200_000, (32, 32)
    draws = auto_augment.draw(policy, tf.constant(count), key(seed), size)
    codes = draws.choices.numpy() @ [len(auto_augment.OPERATIONS), 1]
    expected: dict[int, float] = {}
    for first, second in POLICIES[policy]:
        for applied in itertools.product((0, 1), repeat=2):
            steps = zip(applied, (first, second), strict=True)
            names = [step.operation if on else "identity" for on, step in steps]
            places = [auto_augment.OPERATIONS.index(name) for name in names]
            code = places[0] * len(auto_augment.OPERATIONS) + places[1]
            shares = [
                step.probability if on else 1 - step.probability
                for on, step in zip(applied, (first, second), strict=True)
            ]
            expected[code] = expected.get(code, 0) + shares[0] * shares[1] / 25
    found, counts = np.unique(codes, return_counts=True)
    assert set(found) <= set(expected)
    frequencies = dict(zip(found, counts / count, strict=True))
    for code, share in expected.items():
        assert abs(frequencies.get(code, 0) - share) <= unlike(share, count)


def test_signs_of_the_two_halves_are_independent(seed):
    draws = auto_augment.draw("cifar", tf.constant(100_000), key(seed), (32, 32))
    both = (draws.choices.numpy() == auto_augment.OPERATIONS.index("translate_y")).all(axis=1)
    signs = np.sign(draws.magnitudes.numpy()[both])
    assert len(signs) > 1000
    assert abs(np.corrcoef(signs.T)[0, 1]) < 6 / np.sqrt(len(signs))


def possible(image, policy):
    """Every image that the policy's rows can make of one, step by step."""
    made = set()
    for pair in POLICIES[policy]:
        images = [image]
        for step in pair:
            size = auto_augment.magnitude(step.operation, step.level, image.shape[:2])
            sizes = {size, -size} if step.operation in MOVING else {size}
            done = [
                getattr(image_ops, step.operation)(tf.constant(one[None]), tf.constant([value]))
                for one in images
                for value in sizes
            ]
            images = (images if step.probability < 1 else []) + [one.numpy()[0] for one in done]
        made |= {one.tobytes() for one in images}
    return made


@pytest.mark.parametrize("policy", POLICIES)
def test_images_are_what_a_row_of_the_policy_makes_of_them(seed, policy):
    image = np.random.default_rng(seed).integers(0, 256, (16, 16, 3), np.uint8)
    apply = tf.function(lambda images, key: auto_augment.auto_augment(images, key, policy))
    made = apply(tf.constant(np.tile(image, (2000, 1, 1, 1))), key(seed))
    assert (made.dtype, made.shape) == (tf.uint8, [2000, 16, 16, 3])
    found = {one.tobytes() for one in made.numpy()}
    expected = possible(image, policy)
    assert found <= expected
    assert len(found) > len(expected) / 2


def test_the_same_seed_gives_the_same_images_in_a_pipeline_and_outside(seed):
    images = np.random.default_rng(seed).integers(0, 256, (24, 8, 8, 3), np.uint8)

    def apply(images):
        return auto_augment.auto_augment(images, key(seed), "cifar")

    outside = apply(tf.constant(images)).numpy()
    data = tf.data.Dataset.from_tensors(images).map(apply)
    np.testing.assert_array_equal(next(data.as_numpy_iterator()), outside)
    other = auto_augment.auto_augment(tf.constant(images), key(seed ^ 1), "cifar").numpy()
    assert (other != outside).any()
