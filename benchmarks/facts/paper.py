"""The rows of the paper's tables 1 to 3, and the commands to reproduce them."""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

SEARCH = "python -m trainers.search"
TRAIN = "python -m trainers.train"

# Table 1 has standard deviations, but does not state the number of training runs.
REPEATS = "--repeats=5"

# Reasons for which a row has no command.
MANUAL = "designed by hand, no genotype"
OTHER_SPACE = "found in another search space, no genotype"
BEYOND = "its cell cannot be expressed as a genotype here"
UNPUBLISHED = "the genotype was never published as text"


@dataclass(frozen=True)
class Row:
    """A row of a table, for one of the data sets that it was evaluated on.

    Attributes:
        table: 1, 2 or 3.
        name: Name of the row in the paper.
        tested: The training preset: `cifar10`, `imagenet_se` and so on.
        errors: Test errors in the paper, in percent.
        parameters: The paper's parameters in millions, "-" if the paper has none.
        genotype: Name of the published genotype, "" if there is none.
        search: Flags of the search for the genotype of the row, "" if there is none.
        flags: Flags of the training run besides preset, genotype and run directory.
        reason: Why there is no command, "" if there is one.
        multiply_adds: The paper's multiply-adds in millions, table 3 only.
    """

    table: int
    name: str
    tested: str
    errors: str
    parameters: str
    genotype: str = ""
    search: str = ""
    flags: str = ""
    reason: str = ""
    multiply_adds: str = "-"

    @property
    def what(self) -> str:
        """Origin of the genotype, or the reason why there is no command."""
        if self.reason:
            return self.reason
        return "own search" if self.search else f"published, `{self.genotype}`"

    def commands(self) -> tuple[str, ...]:
        """Returns the commands: none, a training run, or a search and a training run."""
        if self.reason:
            return ()
        folder = f"runs/table{self.table}/{_slug(self.name)}"
        words = [f"--flagfile={self.tested}.flags"]
        words += [f"--genotype={self.genotype or f'{folder}-search/genotype.json'}"]
        words += [*self.flags.split(), f"--run_dir={folder}-on-{self.tested}"]
        training = f"{TRAIN} {shlex.join(words)}"
        if not self.search:
            return (training,)
        return (f"{SEARCH} {self.search} --run_dir={folder}-search", training)


def _slug(name: str) -> str:
    """Returns the name of a row in a form for folder names."""
    text = name.lower().replace("+", "-plus").replace("*", "-star").replace("†", "-direct")
    return "-".join("".join(c if c.isalnum() else " " for c in text).split())


def _both(name: str, errors: tuple[str, str], parameters: str, **how: str) -> Iterator[Row]:
    """Yields a row of table 1 for CIFAR-10 and one for CIFAR-100."""
    for tested, error in zip(("cifar10", "cifar100"), errors, strict=True):
        repeated = {"flags": REPEATS} if "±" in error and "reason" not in how else {}
        yield Row(1, name, tested, error, parameters, **how | repeated)


_STABLE = "--stop_criterion=stable_ranking"
_SEARCH_10, _SEARCH_100 = "--flagfile=cifar10.flags", "--flagfile=cifar100.flags"
_TINY = "--flagfile=tiny_imagenet.flags"

_TABLE_1 = (
    *_both("DenseNet-BC", ("3.46", "17.18"), "25.6", reason=MANUAL),
    Row(1, "NASNet-A", "cifar10", "2.65", "3.3", "NASNET_A"),
    Row(1, "AmoebaNet-B", "cifar10", "2.55 ± 0.05", "2.8", reason=BEYOND),
    Row(1, "PNAS", "cifar10", "3.41 ± 0.09", "3.2", "PNAS", flags=f"--cutout=0 {REPEATS}"),
    Row(1, "ENAS", "cifar10", "2.89", "4.6", "ENAS"),
    *_both("NAONet", ("3.18", "15.67"), "10.6", reason=BEYOND),
    *_both("DARTS", ("3.00", "17.76"), "3.3", genotype="DARTS_V1"),
    Row(1, "SNAS (moderate)", "cifar10", "2.85", "2.8", reason=UNPUBLISHED),
    Row(1, "ProxylessNAS", "cifar10", "2.08", "5.7", reason=OTHER_SPACE),
    *_both("P-DARTS (CIFAR10)", ("2.50", "16.55"), "3.4", genotype="P_DARTS"),
    *_both("P-DARTS (CIFAR100)", ("2.62", "15.92"), "3.6", reason=UNPUBLISHED),
    *_both("ASAP", ("2.49 ± 0.04", "15.6"), "2.5", genotype="ASAP"),
    Row(1, "PC-DARTS", "cifar10", "2.57 ± 0.07", "3.6", "PC_DARTS_CIFAR", flags=REPEATS),
    *_both(
        "DARTS+ (CIFAR10)", ("2.32 (2.50 ± 0.11)", "16.28"), "3.7", genotype="DARTS_PLUS_CIFAR10"
    ),
    *_both(
        "DARTS+ (CIFAR100)",
        ("2.46", "14.87 (15.42 ± 0.30)"),
        "3.8",
        genotype="DARTS_PLUS_CIFAR100",
    ),
    *_both(
        "DARTS+* (CIFAR10)",
        ("2.20 (2.37 ± 0.13)", "15.04"),
        "4.3",
        search=f"{_SEARCH_10} {_STABLE}",
    ),
    *_both(
        "DARTS+* (CIFAR100)",
        ("2.46", "14.87 (15.45 ± 0.30)"),
        "3.9",
        search=f"{_SEARCH_100} {_STABLE}",
    ),
    Row(1, "DARTS+ (Large)", "cifar10_large", "1.68", "7.2", "DARTS_PLUS_CIFAR10"),
    Row(1, "DARTS+ (Large)", "cifar100_large", "13.03", "7.2", "DARTS_PLUS_CIFAR100"),
)


def _tiny(name: str, error: str, parameters: str, **how: str) -> Row:
    return Row(2, name, "tiny_imagenet", error, parameters, **how)


_TABLE_2 = (
    _tiny("ResNet18", "47.3", "11.7", reason=MANUAL),
    _tiny("DenseNet-BC", "37.1", "-", reason=MANUAL),
    _tiny("NASNet", "29.8", "4.5", genotype="NASNET_A"),
    _tiny("DARTS", "30.4", "3.8", genotype="DARTS_V2"),
    _tiny("DARTS†", "46.1", "2.1", search=f"{_TINY} --stop_criterion=none --epochs=50"),
    _tiny("SNAS", "30.6", "3.4", genotype="SNAS_MILD"),
    _tiny("ASAP", "30.0", "3.3", genotype="ASAP"),
    _tiny("DARTS+", "29.1", "4.2", genotype="DARTS_PLUS_CIFAR10"),
    _tiny("DARTS+†", "28.3", "3.8", search=_TINY),
)


def _imagenet(
    name: str,
    errors: str,
    parameters: str,
    multiply_adds: str,
    tested: str = "imagenet",
    **how: str,
) -> Row:
    return Row(3, name, tested, errors, parameters, multiply_adds=multiply_adds, **how)


_TABLE_3 = (
    _imagenet("MobileNet", "29.4 / 10.5", "4.2", "569", reason=MANUAL),
    _imagenet("MobileNet-V2 (1.4x)", "25.3 / -", "6.9", "585", reason=MANUAL),
    _imagenet("ShuffleNet-V2 (2x)", "25.1 / -", "7.4", "591", reason=MANUAL),
    _imagenet("NASNet-A", "26.0 / 8.4", "5.3", "564", genotype="NASNET_A"),
    _imagenet("AmoebaNet-C", "24.3 / 7.6", "6.4", "570", reason=BEYOND),
    _imagenet("PNAS", "25.8 / 8.1", "5.1", "588", genotype="PNAS"),
    _imagenet("MnasNet-92", "25.2 / 8.0", "4.4", "388", reason=OTHER_SPACE),
    _imagenet("EfficientNet-B0", "23.7 / 6.8", "5.3", "390", reason=OTHER_SPACE),
    _imagenet("DARTS", "26.7 / 8.7", "4.7", "574", genotype="DARTS_V2"),
    _imagenet("SNAS (mild)", "27.3 / 9.2", "4.3", "522", genotype="SNAS_MILD"),
    _imagenet(
        "ProxylessNAS†",
        "24.9 / 7.5",
        "7.1",
        "465",
        "imagenet_proxyless",
        genotype="PROXYLESS_GPU",
    ),
    _imagenet("P-DARTS (CIFAR10)", "24.4 / 7.4", "4.9", "557", genotype="P_DARTS"),
    _imagenet("ASAP", "26.7 / -", "-", "-", genotype="ASAP"),
    _imagenet("XNAS", "24.0 / -", "5.2", "600", genotype="XNAS"),
    _imagenet("PC-DARTS†", "24.2 / 7.3", "5.3", "597", genotype="PC_DARTS_IMAGENET"),
    _imagenet("PC-DARTS*†", "23.8 / 7.3", "5.3", "597", genotype="PC_DARTS_IMAGENET"),
    _imagenet("DARTS+ (CIFAR100)", "23.7 / 7.2", "5.1", "591", genotype="DARTS_PLUS_CIFAR100"),
    _imagenet("DARTS+†", "23.9 / 7.4", "5.1", "582", search="--flagfile=imagenet.flags"),
    _imagenet(
        "SE-DARTS+ (CIFAR100)",
        "22.5 / 6.4",
        "6.1",
        "594",
        "imagenet_se",
        genotype="DARTS_PLUS_CIFAR100",
    ),
)

TABLES: Mapping[int, tuple[Row, ...]] = MappingProxyType({1: _TABLE_1, 2: _TABLE_2, 3: _TABLE_3})
