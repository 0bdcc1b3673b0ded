import numpy as np
import pytest

from darts_tf.data.facts import DATASETS


@pytest.mark.parametrize("name", DATASETS)
def test_facts_fit_together(name):
    facts = DATASETS[name]
    assert facts.name == name
    assert len(facts.mean) == len(facts.deviation) == facts.channels
    assert len(set(facts.classes)) == len(facts.classes) == 10
    assert all(deviation > 0 for deviation in facts.deviation)
    assert facts.crop in ("pad", "resized")


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


def test_normalised_training_digits_have_mean_zero_and_deviation_one(digits):
    facts = digits.facts
    normalised = (digits.train.images / 255.0 - np.array(facts.mean)) / np.array(facts.deviation)
    assert abs(normalised.mean()) < 1e-6
    assert normalised.std() == pytest.approx(1, abs=1e-6)
