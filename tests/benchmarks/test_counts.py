"""docs/paper.md: its commands are valid, and every number in it comes out of the closed form."""

import json
import re
import shlex
from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest

from darts_tf.command_line.parsing import parse
from darts_tf.config import SearchConfig, TrainingConfig
from darts_tf.networks.squeeze_excite import RATIO
from darts_tf.spaces import zoo
from tests.oracles import counts as oracle
from tests.oracles import mobile
from trainers import presets

counts = pytest.importorskip("benchmarks.counts")  # not in the wheel
paper = pytest.importorskip("benchmarks.facts.paper")

PAGE = (Path(counts.__file__).parents[1] / "docs" / "paper.md").read_text(encoding="utf-8")
ZOO = json.loads(resources.files("darts_tf.spaces").joinpath("zoo.json").read_text())
ROWS = [row for rows in paper.TABLES.values() for row in rows]
CONFIGS = {"search": SearchConfig, "train": TrainingConfig}
COMMANDS = sorted(set(re.findall(r"^(python -m trainers\..*)$", PAGE, re.MULTILINE)))
# Blocks by kernel and expansion, widths and strides of the stages, and widths of both ends.
PROXYLESS_GPU = (
    "53|73 33|76 53|56 33 53|76 76 76 56|76",
    (32, 56, 112, 128, 256, 432),
    (2, 2, 2, 1, 2, 1),
    (40, 24, 1728),
)
CIFAR = {"side": 32, "layers": 20, "channels": 36, "stem": "cifar"}
IMAGENET = {"side": 224, "layers": 14, "channels": 48}


def closed_form(row):
    if row.genotype == "PROXYLESS_GPU":
        return counts.Counts(*mobile.counts(*PROXYLESS_GPU))
    config = counts.settings(row)
    side, classes = counts.IMAGES[config.dataset]
    found = oracle.network(
        ZOO[row.genotype],
        side=side,
        classes=classes,
        layers=config.layers,
        channels=config.init_channels,
        stem=config.stem,
        squeeze_ratio=RATIO * config.squeeze_excite,
    )
    return counts.Counts(found.parameters, found.multiply_adds)


def shown(part):
    """A part of the page."""
    return PAGE.partition(f"<!-- {part} -->\n\n")[2].partition(f"\n\n<!-- end of {part} -->")[0]


@pytest.mark.parametrize("number", paper.TABLES)
def test_the_page_has_the_rows_and_commands_that_the_command_prints(number):
    assert shown(f"table {number}") == counts.markdown(number)
    assert shown(f"commands {number}") == f"```\n{counts.commands(number)}\n```"


def test_the_page_has_the_counts_of_the_closed_form():
    assert shown("counts") == counts.counts_table(closed_form)
    numbers = {f"{closed_form(row).parameters:,}" for row in ROWS if row.genotype}
    assert numbers == set(re.findall(r"\d+,\d{3},\d{3}", shown("counts")))


def test_the_table_of_counts_fits_a_screen():
    assert shown("counts").count("\n") < 25


def test_the_command_counts_the_networks_that_it_builds(monkeypatch):
    settings = counts.settings
    monkeypatch.setattr(counts, "settings", lambda row: replace(settings(row), layers=3))
    rows = [row for row in ROWS if row.genotype == "DARTS_PLUS_CIFAR100" and row.table != 2]
    assert len({counts.settings(row).dataset for row in rows}) == 3
    for row in rows:
        assert counts.count(row) == closed_form(row)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_valid(command):
    program = command.split()[2].removeprefix("trainers.")
    words = shlex.split(command)[3:]
    extra = {"run_dir": ""} | ({"genotype": ""} if program == "train" else {})
    config, given = parse(words, CONFIGS[program], "", extra=extra, presets=presets.folder(program))
    assert given["run_dir"]
    assert words[0].removeprefix("--flagfile=") in presets.names(program)
    genotype = given.get("genotype", "")
    if genotype and genotype not in zoo.names():
        folder = genotype.removesuffix("/genotype.json")
        (search,) = [line for line in COMMANDS if line.endswith(f"--run_dir={folder}")]
        assert search.startswith("python -m trainers.search --flagfile=")
    assert config.layers


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.table}, {row.name}, {row.tested}")
def test_every_row_has_its_command_or_two_or_a_reason(row):
    published, own, neither = bool(row.genotype), bool(row.search), bool(row.reason)
    assert published + own + neither == 1
    assert len(row.commands()) == published + 2 * own
    assert all(command in COMMANDS for command in row.commands())
    assert ("±" in row.errors and not neither) == any("repeats" in c for c in row.commands())


def test_run_directories_are_apart():
    trainings = [row.commands()[-1] for row in ROWS if row.commands()]
    folders = [command.rpartition("--run_dir=")[2] for command in trainings]
    assert len(set(folders)) == len(folders)
    assert all(re.fullmatch(r"[a-z0-9_/-]+", folder) for folder in folders)


NOT_IN_THE_PAPER = (
    "digits",
    "fashion_mnist",
    "imagenet_single_path",
    "images",
    "kmnist",
    "mnist",
    "nas_bench_201_cifar10",
    "ptb",
    "ptb_wikitext2",
    "rand_wire_imagenet",
    "svhn_cropped",
)


def test_every_training_preset_of_the_paper_has_a_row():
    names = {f"{row.tested}.flags" for row in ROWS}
    others = {f"{name}.flags" for name in NOT_IN_THE_PAPER}
    assert names == set(presets.names("train")) - others


def millions(number):
    return f"{number / 1e6:.2f}"


def test_the_explanations_have_the_closed_forms_numbers():
    ten, hundred = ZOO["DARTS_PLUS_CIFAR10"], ZOO["DARTS_PLUS_CIFAR100"]
    on_10, on_100 = ({**CIFAR, "classes": classes} for classes in (10, 100))
    small = [oracle.network(cell, **on) for on in (on_10, on_100) for cell in (ten, hundred)]
    large, larger = (
        [
            oracle.network(ten, **on_10 | {"channels": channels}),
            oracle.network(hundred, **on_100 | {"channels": channels}),
        ]
        for channels in (50, 51)
    )
    tiny = CIFAR | {"side": 64, "classes": 200, "stem": "tiny_imagenet"}
    on_tiny = oracle.network(ten, **tiny)
    convolution, classifier = 9 * 108 * 108 + 2 * 108, (4 * 4 * 36 + 1) * 200
    params = [millions(each.parameters) for each in small]
    wide = [millions(each.parameters) for each in (*large, *larger)]
    heads = [millions(each.auxiliary) for each in small]
    whole = [millions(each.parameters + each.auxiliary) for each in large]
    snas = oracle.network(
        ZOO["SNAS_MILD"], classes=1000, stem="imagenet", **IMAGENET | {"channels": 50}
    )
    ratios = {
        ratio: millions(
            oracle.network(
                hundred, classes=1000, stem="imagenet", squeeze_ratio=ratio, **IMAGENET
            ).parameters
        )
        for ratio in (4, 8, 16)
    }
    head = millions(on_tiny.auxiliary)
    darts, asap = (
        millions(oracle.network(ZOO[n], **tiny).parameters) for n in ("DARTS_V2", "ASAP")
    )
    for words in (
        f"two genotypes have {params[0]} and {params[1]} on CIFAR-10",
        f"and {params[2]} and {params[3]} on CIFAR-100",
        f"it alone has {heads[0]} million ({heads[2]} on CIFAR-100)",
        f"{wide[0]} (CIFAR-10) and {wide[1]} (CIFAR-100) with 50 channels",
        f"With the head it would be {whole[0]} and {whole[1]}.",
        f"51 channels give {wide[2]} and {wide[3]}.",
        f"for the CIFAR-10 genotype, we count {millions(on_tiny.parameters)}.",
        f"(DARTS 3.8 and {darts}, ASAP 3.3 and {asap})",
        f"from 108 to 108 channels has {millions(convolution)}",
        f"the classifier for 200 classes {millions(classifier)}; the head would add {head}.",
        f"gives {millions(snas.parameters)} million parameters where the paper has 4.3",
        f"ratio 8 gives {ratios[8]} million",
        f"would give {ratios[16]} million, and ratio 4 would give {ratios[4]}.",
    ):
        assert words in " ".join(PAGE.split())


def test_the_operations_beside_convolutions_explain_the_printed_multiply_adds():
    def operations(name, squeeze_ratio=0):
        sizes = IMAGENET | {"squeeze_ratio": squeeze_ratio}
        network = oracle.network(ZOO[name], classes=1000, stem="imagenet", **sizes)
        return (network.multiply_adds + oracle.elementwise(ZOO[name], **sizes)) / 1e6

    names = {"P_DARTS": 557, "PC_DARTS_IMAGENET": 597, "DARTS_PLUS_CIFAR100": 591}
    found = {name: operations(name) for name in names}
    assert found == {name: pytest.approx(printed, abs=1.1) for name, printed in names.items()}
    p, pc, ours = (f"{value:.1f}" for value in found.values())
    more = operations("DARTS_PLUS_CIFAR100", RATIO) - found["DARTS_PLUS_CIFAR100"]
    text = " ".join(PAGE.split())
    assert f"P-DARTS has {p}, PC-DARTS {pc} and DARTS+ (CIFAR100) {ours} million" in text
    assert f"and {more:.1f} million additional operations, including means and products" in text
