"""The networks of the paper's tables and mobile ones, as `keras.applications` has networks.

Example:
    >>> from dataclasses import replace
    >>> from darts_tf import applications
    >>> model = applications.DartsPlusCifar10(include_top=False, pooling="avg")
    >>> model.output_shape
    (None, 576)

    Each is an `Application`, in which other cells can take the place of the paper's:

    >>> PDartsCifar10 = replace(applications.DartsPlusCifar10, genotype="P_DARTS")
    >>> PDartsCifar10.layers, PDartsCifar10.init_channels
    (20, 36)

The argument `weights` takes those of a training run. `DartsPlusDigits` has its own, which were
trained here; nobody has published weights of the others.

    >>> model = applications.DartsPlusDigits(weights="digits")
    >>> model.output_shape
    (None, 10)
"""

from dataclasses import replace

from darts_tf.applications.application import Application
from darts_tf.data.sources.catalog import DATASETS

__all__ = [
    "Application",
    "DartsPlusCifar10",
    "DartsPlusCifar10Large",
    "DartsPlusCifar100",
    "DartsPlusCifar100Large",
    "DartsPlusDigits",
    "DartsPlusImagenet",
    "DartsPlusImagenetSE",
    "DartsPlusTinyImagenet",
    "ProxylessCpu",
    "ProxylessGpu",
    "ProxylessMobile",
    "SinglePath",
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
ProxylessGpu = _network("proxyless_gpu", "imagenet", "PROXYLESS_GPU", 21, 40)
# Mobile networks that are not in the tables.
ProxylessCpu = _network("proxyless_cpu", "imagenet", "PROXYLESS_CPU", 21, 40)
ProxylessMobile = _network("proxyless_mobile", "imagenet", "PROXYLESS_MOBILE", 21, 32)
SinglePath = _network("single_path", "imagenet", "SINGLE_PATH", 21, 32)
# Searched and trained here; `pretrained/digits.json` says how.
DartsPlusDigits = replace(
    _network("darts_plus_digits", "digits", "DARTS_PLUS_DIGITS", 5, 8),
    pretrained={"digits": "digits.keras"},
)
