import numpy as np
import pytest

from darts_tf.data import datasets
from darts_tf.data.facts import facts_in_proportion, portions
from darts_tf.data.sources.catalog import DATASETS
from darts_tf.errors import UserError

COUNTS = {
    "digits": (10, 1437, 360),
    "cifar10": (10, 50_000, 10_000),
    "cifar100": (100, 50_000, 10_000),
    "fashion_mnist": (10, 60_000, 10_000),
    "mnist": (10, 60_000, 10_000),
    "kmnist": (10, 60_000, 10_000),
    "svhn_cropped": (10, 73_257, 26_032),
    "tiny_imagenet": (200, 100_000, 10_000),
    "imagenet": (1000, 1_281_167, 50_000),
}


@pytest.mark.parametrize("name", DATASETS)
def test_facts_fit_together(name):
    facts = DATASETS[name]
    assert facts.name == name
    assert len(facts.mean) == len(facts.deviation) == facts.channels
    assert len(set(facts.classes)) == len(facts.classes)
    assert all(deviation > 0 for deviation in facts.deviation)
    assert facts.crop in ("pad", "resized")
    assert (facts.pad > 0) == (facts.crop == "pad")
    assert 0 <= facts.cutout < facts.image_size
    assert (len(facts.classes), facts.train_images, facts.test_images) == COUNTS[name]
    assert facts.resized(0) is facts.resized(facts.image_size) is facts
    assert datasets.run_name(name) == name


def test_digits_mean_and_standard_deviation_are_those_of_the_training_images(digits):
    pixels = digits.train.images / 255.0
    assert DATASETS["digits"].mean == pytest.approx(pixels.mean(axis=(0, 1, 2)), abs=1e-8)
    assert DATASETS["digits"].deviation == pytest.approx(pixels.std(axis=(0, 1, 2)), abs=1e-8)


def test_cifar10_facts_are_those_of_darts():
    facts = DATASETS["cifar10"]
    assert facts.mean == (0.49139968, 0.48215827, 0.44653124)
    assert facts.deviation == (0.24703233, 0.24348505, 0.26158768)
    assert (facts.image_size, facts.channels, facts.pad, facts.flip) == (32, 3, 4, True)
    assert (facts.crop, facts.policy) == ("pad", "cifar")
    assert (facts.train_images, facts.test_images) == (50_000, 10_000)


def test_cifar100_facts_are_the_published_ones():
    facts = DATASETS["cifar100"]
    assert facts.mean == (0.5071, 0.4867, 0.4408)
    assert facts.deviation == (0.2675, 0.2565, 0.2761)
    assert (facts.image_size, facts.pad, facts.flip, facts.cutout) == (32, 4, True, 16)
    # In Krizhevsky's list the classes go by the alphabet.
    assert list(facts.classes) == sorted(facts.classes)
    assert {"aquarium_fish", "sweet_pepper", "pickup_truck", "worm"} <= set(facts.classes)


def test_imagenet_and_tiny_imagenet_have_imagenets_mean_and_standard_deviation():
    for name, size in (("tiny_imagenet", 64), ("imagenet", 224)):
        facts = DATASETS[name]
        assert facts.mean == (0.485, 0.456, 0.406)
        assert facts.deviation == (0.229, 0.224, 0.225)
        assert facts.image_size == size
    tiny, cifar = DATASETS["tiny_imagenet"], DATASETS["cifar10"]
    assert (tiny.pad / 64, tiny.cutout / 64) == (cifar.pad / 32, cifar.cutout / 32)


@pytest.mark.parametrize("name", ["mnist", "kmnist", "fashion_mnist", "svhn_cropped"])
def test_small_pictures_have_cifars_recipe_and_characters_are_not_mirrored(name):
    facts = DATASETS[name]
    twin = facts_in_proportion(name, facts.image_size, facts.classes)
    assert (facts.pad, facts.stem, facts.crop) == (twin.pad, twin.stem, twin.crop)
    assert facts.cutout == (20 if name == "svhn_cropped" else twin.cutout)
    assert facts.flip == (name == "fashion_mnist")


def test_another_size_has_another_padding():
    facts = DATASETS["cifar10"].resized(64)
    assert (facts.image_size, facts.pad, facts.cutout) == (64, 8, 16)
    assert DATASETS["digits"].resized(2).pad == 1
    assert DATASETS["imagenet"].resized(32).pad == 0


@pytest.mark.parametrize(
    ("images", "train", "valid", "expected"),
    [
        (50_000, 0.5, 0.0, (25_000, 25_000)),
        (1437, 0.5, 0.0, (718, 719)),
        (1_281_167, 0.1, 0.1, (128_116, 128_116)),
        (10, 0.5, 0.5, (5, 5)),
        (10, 0.3, 0.2, (3, 2)),
    ],
)
def test_the_portions_of_a_search_are_floors_or_the_rest(images, train, valid, expected):
    assert portions(images, train, valid) == expected


@pytest.mark.parametrize(
    ("train", "valid", "name"),
    [(0.05, 0.1, "train"), (1.0, 0.0, "train"), (0.5, 0.05, "valid"), (0.5, 0.6, "valid")],
)
def test_an_empty_portion_or_too_much_is_refused_by_name(train, valid, name):
    with pytest.raises(UserError, match=f"^{name}_portion: "):
        portions(10, train, valid)


def test_normalized_training_digits_have_mean_zero_and_standard_deviation_one(digits):
    facts = digits.facts
    normalized = (digits.train.images / 255.0 - np.array(facts.mean)) / np.array(facts.deviation)
    assert abs(normalized.mean()) < 1e-6
    assert normalized.std() == pytest.approx(1, abs=1e-6)
