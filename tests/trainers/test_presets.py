"""Presets: each works, says where it comes from, and holds the paper's numbers."""

import re

import pytest

from darts_tf import criteria, methods, spaces
from darts_tf.command_line import flag_files
from darts_tf.command_line.parsing import parse_with_plugs
from darts_tf.config import SearchConfig, TrainingConfig
from darts_tf.data.sources.catalog import DATASETS
from darts_tf.errors import UserError
from trainers import presets

CONFIGS = {"search": SearchConfig, "train": TrainingConfig}
# Further methods, each with the settings of its own paper.
SEARCHED_ON = {"proxyless_nas": "imagenet", "single_path_nas": "imagenet"}
METHODS = tuple(
    f"{name}_{SEARCHED_ON.get(name, 'cifar10')}" for name in methods.names() if name != "darts"
)
# Further spaces, each with the settings of its own paper.
SPACES = ("nas_bench_201_cifar10",)
# The paper's further networks on a data set.
FURTHER = {
    "search": (*METHODS, *SPACES, "pc_darts_imagenet", "auto_deeplab_cifar10", "ptb"),
    "train": (
        *SPACES,
        "cifar10_large",
        "cifar100_large",
        "imagenet_proxyless",
        "imagenet_se",
        "imagenet_single_path",
        "ptb",
        "ptb_wikitext2",
        "rand_wire_imagenet",
    ),
}
ALL = [(program, name) for program in CONFIGS for name in presets.names(program)]


PLUGS = {
    "search": {"method": methods, "space": spaces, "stop_criterion": criteria},
    "train": {},
}


def parsed(program, name):
    return parse_with_plugs(
        [f"--flagfile={name}"],
        CONFIGS[program],
        "",
        PLUGS[program],
        presets=presets.folder(program),
    )


def read(program, name):
    return parsed(program, name).settings


@pytest.mark.parametrize("program", CONFIGS)
def test_every_data_set_has_a_preset(program):
    names = (*DATASETS, *FURTHER[program], "images")
    assert presets.names(program) == tuple(sorted(f"{name}.flags" for name in names))


@pytest.mark.parametrize(("program", "name"), ALL)
def test_every_preset_is_read(program, name):
    dataset = read(program, name).dataset
    if name == "images.flags":  # for any folder, which the user names
        dataset = "images"
    if name.startswith("ptb"):  # for any text
        dataset = "ptb"
    stem = name.removesuffix(".flags")
    assert stem == dataset or stem.startswith(f"{dataset}_") or stem.endswith(f"_{dataset}")


@pytest.mark.parametrize(("program", "name"), ALL)
def test_every_preset_opens_with_its_source_and_command(program, name):
    text = (presets.folder(program) / name).read_text(encoding="utf-8")
    opening = text[: text.index("\n--")]
    assert all(line.startswith("#") for line in opening.splitlines())
    assert re.search(r"table [123], row|arXiv:\d{4}\.\d{5}|NeurIPS \d{4}", opening)
    assert f"python -m trainers.{program} --flagfile={name}" in opening


@pytest.mark.parametrize("name", METHODS)
def test_the_preset_of_a_method_chooses_it_with_its_own_settings(name):
    plugs = parsed("search", f"{name}.flags").plugs
    method = methods.get(plugs["method"])
    assert method.name == name.rpartition("_")[0]
    assert plugs["method"] == method.get_config() == methods.get(method.name).get_config()


def test_cifar10_presets_are_the_papers_and_so_the_defaults():
    facts = DATASETS["cifar10"]
    assert read("search", "cifar10.flags").resolved(facts) == SearchConfig().resolved(facts)
    assert read("train", "cifar10.flags").resolved(facts) == TrainingConfig().resolved(facts)


@pytest.mark.parametrize("name", ["fashion_mnist", "mnist", "kmnist", "svhn_cropped"])
def test_data_sets_that_are_not_in_the_paper_say_so_and_have_cifars_settings(name):
    facts = DATASETS[name]
    search, train = (read(program, f"{name}.flags").resolved(facts) for program in CONFIGS)
    assert search == SearchConfig().resolved(facts)
    assert train == TrainingConfig(epochs=600).resolved(facts)
    for program in CONFIGS:
        text = (presets.folder(program) / f"{name}.flags").read_text(encoding="utf-8")
        assert text.partition("\n")[0].endswith(". Not in the paper.")
        assert f"{facts.train_images:,} training images" in text


@pytest.mark.parametrize("program", CONFIGS)
def test_cifar10_presets_tell_cost_and_error_of_table_1(program):
    text = (presets.folder(program) / "cifar10.flags").read_text(encoding="utf-8")
    assert "2.32 % (mean 2.50 ± 0.11)" in text
    if program == "search":
        assert "0.4 GPU days on one Tesla V100" in text
        assert "about epoch 35" in text


def test_a_program_without_presets_reads_files_only(tmp_path):
    assert flag_files.names(None) == ()
    file = tmp_path / "my.flags"
    file.write_text("\ufeff# comment\r\n\r\n --a=1 \r\n")
    assert list(flag_files.lines(str(file), None)) == [(3, "--a=1")]
    with pytest.raises(UserError, match=r"^--flagfile=digits.flags: no such file\.$"):
        list(flag_files.lines("digits.flags", None))
