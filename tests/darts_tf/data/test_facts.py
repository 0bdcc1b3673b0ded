import numpy as np
import pytest

from darts_tf.data.facts import DATASETS, facts_of, portions, run_name
from darts_tf.errors import UserError

COUNTS = {
    "digits": (10, 1437, 360),
    "cifar10": (10, 50_000, 10_000),
    "cifar100": (100, 50_000, 10_000),
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
    assert (len(facts.classes), facts.train_images, facts.test_images) == COUNTS[name]
    assert facts_of(name) is facts_of(name, 17) is facts
    assert run_name(name) == name


def test_digits_mean_and_deviation_are_those_of_the_training_images(digits):
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


def test_imagenet_and_tiny_imagenet_have_imagenets_mean_and_deviation():
    for name, size in (("tiny_imagenet", 64), ("imagenet", 224)):
        facts = DATASETS[name]
        assert facts.mean == (0.485, 0.456, 0.406)
        assert facts.deviation == (0.229, 0.224, 0.225)
        assert facts.image_size == size
    tiny, cifar = DATASETS["tiny_imagenet"], DATASETS["cifar10"]
    assert (tiny.pad / 64, tiny.cutout / 64) == (cifar.pad / 32, cifar.cutout / 32)


@pytest.mark.parametrize(
    ("size", "stem", "policy"),
    [
        (8, "cifar", "cifar"),
        (48, "cifar", "cifar"),
        (49, "tiny_imagenet", "imagenet"),
        (96, "tiny_imagenet", "imagenet"),
        (97, "imagenet", "imagenet"),
    ],
)
def test_a_folder_has_cifars_recipe_in_proportion_to_its_size(tmp_path, size, stem, policy):
    for name in ("b", "a"):
        (tmp_path / name).mkdir()
        for number in range(6):
            (tmp_path / name / f"{number}.png").touch()
    facts = facts_of(f"image_folder:{tmp_path}", size)
    assert facts.name == f"image_folder:{tmp_path}"
    assert (facts.image_size, facts.classes) == (size, ("a", "b"))
    assert (facts.train_images, facts.test_images) == (10, 2)
    assert (facts.stem, facts.policy, facts.crop, facts.flip) == (stem, policy, "pad", True)
    assert facts.pad == pytest.approx(4 * size / 32, abs=0.5)
    assert facts.cutout == pytest.approx(16 * size / 32, abs=0.5)


@pytest.mark.parametrize("size", [2**15 + 1, 10**400])
def test_a_folders_images_have_a_largest_size(tmp_path, size):
    for part in ("train", "test"):
        for name in ("a", "b"):
            (tmp_path / part / name).mkdir(parents=True)
            (tmp_path / part / name / "1.png").touch()
    assert facts_of(f"image_folder:{tmp_path}", 2**15).image_size == 2**15
    with pytest.raises(UserError, match=r"^image_size: must be at most 32768 pixels, found \d+$"):
        facts_of(f"image_folder:{tmp_path}", size)


def test_a_run_of_a_folder_is_named_like_the_folder(tmp_path, monkeypatch):
    assert run_name(f"image_folder:{tmp_path}/flowers/") == "flowers"
    monkeypatch.chdir(tmp_path)
    assert run_name("image_folder:.") == tmp_path.name
    assert run_name("image_folder:/") == "image_folder"


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


def test_normalised_training_digits_have_mean_zero_and_deviation_one(digits):
    facts = digits.facts
    normalised = (digits.train.images / 255.0 - np.array(facts.mean)) / np.array(facts.deviation)
    assert abs(normalised.mean()) < 1e-6
    assert normalised.std() == pytest.approx(1, abs=1e-6)
