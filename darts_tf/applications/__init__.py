"""The networks of the paper's tables, called as those of `keras.applications` are.

    model = darts_tf.applications.DartsPlusCifar10(include_top=False, pooling="avg")

Each is an `Application`; `dataclasses.replace(DartsPlusCifar10, genotype="P_DARTS")` is the same
network of other cells. No weights are published: `weights` takes those of a training.
"""

from darts_tf.applications.application import Application
from darts_tf.data.facts import DATASETS

__all__ = [
    "Application",
    "DartsPlusCifar10",
    "DartsPlusCifar10Large",
    "DartsPlusCifar100",
    "DartsPlusCifar100Large",
    "DartsPlusImagenet",
    "DartsPlusImagenetSE",
    "DartsPlusTinyImagenet",
]


def _network(
    name: str,
    dataset: str,
    genotype: str,
    layers: int = 20,
    init_channels: int = 36,
    squeeze_excite: bool = False,
) -> Application:
    facts = DATASETS[dataset]
    return Application(
        genotype=genotype,
        layers=layers,
        init_channels=init_channels,
        stem=facts.stem,
        squeeze_excite=squeeze_excite,
        input_shape=(facts.image_size, facts.image_size, facts.channels),
        mean=facts.mean,
        deviation=facts.deviation,
        class_names=facts.classes,
        name=name,
    )


# Table 1.
DartsPlusCifar10 = _network("darts_plus_cifar10", "cifar10", "DARTS_PLUS_CIFAR10")
DartsPlusCifar100 = _network("darts_plus_cifar100", "cifar100", "DARTS_PLUS_CIFAR100")
DartsPlusCifar10Large = _network(
    "darts_plus_cifar10_large", "cifar10", "DARTS_PLUS_CIFAR10", init_channels=50
)
DartsPlusCifar100Large = _network(
    "darts_plus_cifar100_large", "cifar100", "DARTS_PLUS_CIFAR100", init_channels=50
)
# Table 2.
DartsPlusTinyImagenet = _network("darts_plus_tiny_imagenet", "tiny_imagenet", "DARTS_PLUS_CIFAR10")
# Table 3.
DartsPlusImagenet = _network("darts_plus_imagenet", "imagenet", "DARTS_PLUS_CIFAR100", 14, 48)
DartsPlusImagenetSE = _network(
    "darts_plus_imagenet_se", "imagenet", "DARTS_PLUS_CIFAR100", 14, 48, squeeze_excite=True
)
