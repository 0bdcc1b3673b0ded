"""The presets of trainings hold section 4.3's numbers."""

from dataclasses import replace

import pytest

from darts_tf.command_line.parsing import parse
from darts_tf.config import TrainingConfig
from trainers import presets


def read(name):
    return parse([f"--flagfile={name}.flags"], TrainingConfig, "", presets=presets.folder("train"))[
        0
    ]


def opening(name):
    text = (presets.folder("train") / f"{name}.flags").read_text(encoding="utf-8")
    return text[: text.index("\n--")]


def test_cifar100_is_trained_on_as_cifar10_is():
    assert read("cifar100") == replace(read("cifar10"), dataset="cifar100")


def test_tiny_imagenet_has_one_more_convolution_and_the_same_settings():
    # Cutout covers as large a part of the image.
    right = replace(TrainingConfig(), dataset="tiny_imagenet", stem="tiny_imagenet", cutout=2 * 16)
    assert read("tiny_imagenet") == right


@pytest.mark.parametrize("name", ["cifar10", "cifar100"])
def test_large_has_50_channels_autoaugment_and_mixup(name):
    right = replace(read(name), init_channels=50, auto_augment=True, mixup=1.0)
    assert read(f"{name}_large") == right


def test_imagenet_has_the_papers_settings():
    config = read("imagenet")
    assert (config.layers, config.init_channels, config.stem) == (14, 48, "imagenet")
    assert (config.epochs, config.batch_size, config.warmup_epochs) == (800, 2048, 5)
    assert (config.learning_rate, config.learning_rate_min) == (0.8, 0.0)
    assert (config.momentum, config.weight_decay) == (0.9, 3e-5)
    assert (config.label_smoothing, config.auxiliary_weight) == (0.1, 0.4)
    assert (config.drop_path, config.cutout, config.squeeze_excite) == (0.0, 0, False)


def test_squeeze_and_excitation_comes_with_autoaugment_and_mixup():
    right = replace(read("imagenet"), squeeze_excite=True, auto_augment=True, mixup=0.2)
    assert read("imagenet_se") == right


def test_rand_wire_has_its_papers_settings():
    config = read("rand_wire_imagenet")
    assert (config.layers, config.init_channels, config.stem) == (3, 78, "imagenet")
    assert (config.epochs, config.batch_size, config.learning_rate) == (250, 256, 0.1)
    assert (config.momentum, config.weight_decay, config.label_smoothing) == (0.9, 5e-5, 0.1)
    assert (config.auxiliary_weight, config.drop_path, config.cutout) == (0.0, 0.0, 0)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("cifar100", ["14.87 % (mean 15.42 ± 0.30)", "3.8 million"]),
        ("tiny_imagenet", ["28.3 %", "3.8 million", "29.1 %"]),
        ("cifar10_large", ["1.68 %", "7.2 million"]),
        ("cifar100_large", ["13.03 %", "7.2 million"]),
        ("imagenet", ["23.7 % (top-5 7.2 %)", "23.9 % (7.4 %)", "8 Nvidia Tesla V100"]),
        ("rand_wire_imagenet", ["25.3 % (mean of 5 seeds)", "5.6 million", "583 million"]),
        ("imagenet_se", ["22.5 % (top-5 6.4 %)", "6.1 million", "8 Nvidia Tesla V100"]),
    ],
)
def test_each_tells_the_papers_error(name, told):
    text = " ".join(opening(name).replace("#", "").split())
    assert all(words in text for words in told)
    assert "hours" in text
