"""What is known of the published genotypes beside their cells: papers, errors, licenses.

An error is that of the paper or of the authors' repository, in percent, for a network of the size
that DARTS's papers compare, unless its note says something else. Empty means that it was not read.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Facts(NamedTuple):
    """What is known of a genotype.

    Attributes:
        paper: Its paper.
        arxiv: The paper's number, empty where there is none.
        license: License of the repository that has the genotype; `figure` for one that was read off
            a figure, empty where it was not read.
        error: Published test error, in percent; a test perplexity for texts.
        on: The data set of the error, with a note.
    """

    paper: str
    arxiv: str
    license: str
    error: str = ""
    on: str = ""


_NASNET = ("NASNet, Zoph et al. 2018", "1707.07012", "Apache-2.0")
_DARTS = ("DARTS, Liu et al. 2019", "1806.09055", "Apache-2.0")
_PC_DARTS = ("PC-DARTS, Xu et al. 2020", "1907.05737", "")
_SNAS = ("SNAS, Xie et al. 2019", "1812.09926", "MIT")
_GDAS = ("GDAS, Dong and Yang 2019", "1910.04465", "MIT")
_DARTS_PLUS = ("DARTS+, Liang et al. 2019", "1909.06035", "figure")
_OLES = ("OLES, Jiang et al. 2023", "", "")
_SDARTS = ("SDARTS, Chen and Hsieh 2020", "2002.05283", "")
_SGAS = ("SGAS, Li et al. 2020", "1912.00195", "")
_DRNAS = ("DrNAS, Chen et al. 2021", "2006.10355", "")
_FAIR = (
    "FairDARTS, Chu et al. 2020",
    "1911.12126",
    "",
    "2.54",
    "CIFAR-10, mean of the seven",
)
_PROXYLESS = ("ProxylessNAS, Cai et al. 2019", "1812.00332", "")
OURS = "found by this library"
_CIFAR, _IMAGENET = "CIFAR-10", "ImageNet"

FACTS: Mapping[str, Facts] = MappingProxyType(
    {
        "NASNET_A": Facts(*_NASNET, "2.65", _CIFAR),
        "AMOEBANET_A": Facts("AmoebaNet, Real et al. 2019", "1802.01548", "Apache-2.0"),
        "DARTS_V1": Facts(*_DARTS, "3.00", _CIFAR),
        "DARTS_V2": Facts(*_DARTS, "2.76", _CIFAR),
        "PC_DARTS_CIFAR": Facts(*_PC_DARTS, "2.57", _CIFAR),
        "PC_DARTS_IMAGENET": Facts(*_PC_DARTS, "24.2", _IMAGENET),
        "P_DARTS": Facts("P-DARTS, Chen et al. 2019", "1904.12760", "", "2.50", _CIFAR),
        "SNAS_MILD": Facts(*_SNAS, "2.98", _CIFAR),
        "SNAS_MODERATE": Facts(*_SNAS, "2.85", _CIFAR),
        "SNAS_AGGRESSIVE": Facts(*_SNAS),
        "GDAS": Facts(*_GDAS, "2.93", _CIFAR),
        "GDAS_FIXED_REDUCTION": Facts(*_GDAS[:2], "", "2.82", _CIFAR),
        "ENAS": Facts("ENAS, Pham et al. 2018", "1802.03268", "", "2.89", _CIFAR),
        "PNAS": Facts("PNAS, Liu et al. 2018", "1712.00559", "", "3.41", "CIFAR-10, no cutout"),
        "ASAP": Facts("ASAP, Noy et al. 2019", "1904.04123", "", "2.49", _CIFAR),
        "XNAS": Facts("XNAS, Nayman et al. 2019", "1906.08031", "", "2.48", _CIFAR),
        "DARTS_PLUS_CIFAR10": Facts(*_DARTS_PLUS, "2.32", _CIFAR),
        "DARTS_PLUS_DIGITS": Facts(OURS, "", "Apache-2.0"),
        "DARTS_PLUS_CIFAR100": Facts(*_DARTS_PLUS, "14.87", "CIFAR-100"),
        "OLES_CIFAR10": Facts(*_OLES, "2.30", "CIFAR-10, second reading"),
        "OLES_CIFAR100": Facts(*_OLES),
        "SDARTS_RS": Facts(*_SDARTS),
        "SDARTS_ADV": Facts(*_SDARTS),
        "SGAS_CRI1_CIFAR_BEST": Facts(*_SGAS, "2.39", _CIFAR),
        "SGAS_CRI1_IMAGENET_BEST": Facts(*_SGAS),
        "SGAS_CRI2_CIFAR_BEST": Facts(*_SGAS, "2.44", _CIFAR),
        "SGAS_CRI2_IMAGENET_BEST": Facts(*_SGAS),
        "DRNAS_CIFAR10": Facts(*_DRNAS),
        "DRNAS_IMAGENET": Facts(*_DRNAS),
        **{f"FAIR_DARTS_{letter}": Facts(*_FAIR) for letter in "ABCDEFG"},
        "AUTO_DEEPLAB": Facts("Auto-DeepLab, Liu et al. 2019", "1901.02985", "Apache-2.0"),
        "PROXYLESS_MOBILE": Facts(*_PROXYLESS, "25.4", _IMAGENET),
        "PROXYLESS_GPU": Facts(*_PROXYLESS, "24.9", _IMAGENET),
        "PROXYLESS_CPU": Facts(*_PROXYLESS),
        "SINGLE_PATH": Facts(
            "Single-Path NAS, Stamoulis et al. 2019", "1904.02877", "Apache-2.0", "25.0", _IMAGENET
        ),
        "DARTS_PTB_V1": Facts(*_DARTS, "57.6", "Penn Treebank, perplexity"),
        "DARTS_PTB_V2": Facts(*_DARTS, "55.7", "Penn Treebank, perplexity"),
    }
)
