"""Configs: the paper's defaults, what is refused, and the flags that repeat a run."""

import dataclasses
import itertools
import json
import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darts_tf.config import SearchConfig, TrainingConfig, flag_lines, training_flag_lines
from darts_tf.data import datasets
from darts_tf.data.facts import facts_in_proportion
from darts_tf.data.sources.catalog import DATASETS
from darts_tf.errors import UserError
from darts_tf.runs.directory import RunDirectory
from darts_tf.settings import earlier_lines
from darts_tf.spaces import space_of, zoo
from darts_tf.spaces.genotype import Genotype, read_genotype
from darts_tf.spaces.stems import STEMS
from tests.stages import by_stage

CONFIGS = [SearchConfig, TrainingConfig]
FIELDS = [
    pytest.param(config, field, id=f"{config.__name__}.{field.name}")
    for config in CONFIGS
    for field in dataclasses.fields(config)
]

NOT_HELD_OUT = (
    "held_out: expected a share that leaves images to train on and to test on, got 0.9999 of 1437 "
    "images"
)
NOT_SEEDS = (
    "repeats: expected at most 3 from seed 2147483645, so that the last seed is below 2147483648; "
    "got 4"
)
NOT_STEPS = (
    "profile_steps: expected two whole numbers, the first at most the second, such as 10,20;"
)
NOT_STAGED = (
    "layers: expected at least 5 with share_alphas=stage, so that each stage has a cell; got 4"
)
NOT_RECORDED = ("download", "checkpoint_every", "worker_timeout", "extend", "logger")
NOT_PACE = "checkpoint_every: expected a number of steps or epochs, such as 200steps or 5epochs;"
NOT_SECOND = (
    "mixed_precision: expected float32 or bfloat16 with arch_order=second, got float16: "
    "a step of the weights cannot be taken on a scaled loss"
)


def of_kind(kind):
    return [row for row in FIELDS if type(row.values[1].default) is kind]


def test_search_defaults_are_the_papers():
    config = SearchConfig()
    assert (config.dataset, config.epochs, config.batch_size) == ("cifar10", 60, 64)
    assert (config.layers, config.init_channels, config.train_portion) == (8, 16, 0.5)
    assert (config.learning_rate, config.momentum, config.weight_decay) == (0.025, 0.9, 3e-4)
    assert (config.arch_learning_rate, config.arch_weight_decay) == (3e-4, 1e-3)
    assert (config.stop_criterion, config.stop_at_skip_connects) == ("skip_connects", 2)
    assert config.stable_epochs == 10


def test_training_defaults_are_the_papers():
    config = TrainingConfig()
    assert (config.epochs, config.batch_size) == (2000, 96)
    assert (config.layers, config.init_channels) == (20, 36)
    assert (config.learning_rate, config.learning_rate_min) == (0.025, 0.0)
    assert (config.momentum, config.weight_decay) == (0.9, 3e-4)
    config = config.resolved(DATASETS["cifar10"])
    assert (config.drop_path, config.auxiliary_weight, config.cutout) == (0.2, 0.4, 16)
    assert (config.auto_augment, config.mixup, config.label_smoothing) == (False, 0, 0)


@pytest.mark.parametrize("config", CONFIGS)
def test_configs_are_frozen(config):
    with pytest.raises(dataclasses.FrozenInstanceError):
        config().epochs = 1


@pytest.mark.parametrize(("config", "field"), FIELDS)
def test_every_field_refuses_another_type_by_its_name(config, field):
    wrong = {bool: 1, int: True, float: "0.1", str: 3}[type(field.default)]
    for value in (wrong, None, []):
        with pytest.raises(UserError, match=rf"^{field.name}: expected "):
            config(**{field.name: value})


@pytest.mark.parametrize(("config", "field"), of_kind(int))
def test_every_whole_number_refuses_a_fraction(config, field):
    with pytest.raises(UserError, match=rf"^{field.name}: expected a whole number, got 1.5"):
        config(**{field.name: 1.5})


@pytest.mark.parametrize(("config", "field"), of_kind(float))
def test_every_number_refuses_what_is_not_finite(config, field):
    for value in (float("nan"), float("inf"), -float("inf"), np.float32("nan"), 10**400):
        with pytest.raises(UserError, match=rf"^{field.name}: expected a finite number"):
            config(**{field.name: value})


@pytest.mark.parametrize(("config", "field"), of_kind(int) + of_kind(float))
def test_every_number_refuses_a_negative_one(config, field):
    with pytest.raises(
        UserError, match=rf"^{field.name}: expected (at least|a value above) .*, got -2"
    ):
        config(**{field.name: -2})


@pytest.mark.parametrize(("config", "field"), of_kind(str))
def test_every_choice_refuses_another_and_names_the_nearest(config, field):
    for choice in field.metadata["choices"]:
        with pytest.raises(UserError) as refusal:
            config(**{field.name: f"{choice}x"})
        assert str(refusal.value).startswith(f"{field.name}: expected one of ")
        assert str(refusal.value).endswith(f"got '{choice}x'. Did you mean '{choice}'?")


@pytest.mark.parametrize(
    ("config", "values", "line"),
    [
        (SearchConfig, {"batch_size": 0}, "batch_size: expected at least 1, got 0"),
        (SearchConfig, {"layers": 2}, "layers: expected at least 3, got 2"),
        (
            SearchConfig,
            {"train_portion": 1.0},
            "train_portion: expected a value below 1.0, got 1.0",
        ),
        (SearchConfig, {"stable_ranks": 5}, "stable_ranks: expected at most 4, got 5"),
        (SearchConfig, {"seed": 2**31}, "seed: expected at most 2147483647, got 2147483648"),
        (TrainingConfig, {"momentum": 1}, "momentum: expected a value below 1.0, got 1.0"),
        (TrainingConfig, {"drop_path": 1}, "drop_path: expected a value below 1.0, got 1.0"),
        (
            TrainingConfig,
            {"epochs": 5, "warmup_epochs": 5},
            "warmup_epochs: expected less than epochs (5), or no cosine follows; got 5",
        ),
        (TrainingConfig, {"seed": 2**31 - 3, "repeats": 4}, NOT_SEEDS),
        *(
            (
                TrainingConfig,
                {"profile_steps": text},
                f"{NOT_STEPS} got '{text}'",
            )
            for text in ("3", "4,3", "-1,3", "1,2,3", "1, 2", "1.0,2", "٣,٤")
        ),
        *(
            (
                SearchConfig,
                {"checkpoint_every": text},
                f"{NOT_PACE} got '{text}'",
            )
            for text in ("", "0steps", "5", "epoch", "1.5epochs", "-1steps", "3 hours")
        ),
        (
            SearchConfig,
            {"mixed_precision": "float16", "arch_order": "second"},
            NOT_SECOND,
        ),
        (
            SearchConfig,
            {"share_alphas": "stage", "layers": 4},
            NOT_STAGED,
        ),
        (
            SearchConfig,
            {"learning_rate": 1e-4},
            "learning_rate_min: expected at most learning_rate (0.0001), got 0.001",
        ),
        (
            SearchConfig,
            {"epochs": 5, "arch_start_epoch": 5},
            "arch_start_epoch: expected less than epochs (5), or nothing is searched; got 5",
        ),
    ],
)
def test_refusals_say_what_was_found_and_what_would_be_right(config, values, line):
    with pytest.raises(UserError) as refusal:
        config(**values)
    assert str(refusal.value) == line


@pytest.mark.parametrize(
    ("text", "steps"), [("", None), ("0,0", (0, 0)), ("7,12", (7, 12)), ("007,12", (7, 12))]
)
def test_the_steps_to_profile_are_two_numbers_or_none(text, steps):
    assert SearchConfig(profile_steps=text).profiled() == steps


@pytest.mark.parametrize("name", list(DATASETS))
def test_either_side_of_the_split_keeps_an_image(name):
    facts = DATASETS[name]
    images = facts.train_images
    for portion in (0.5 / images, 0.9 / images):
        with pytest.raises(UserError, match=r"^train_portion: "):
            SearchConfig(train_portion=portion).resolved(facts)
    SearchConfig(train_portion=1.5 / images).resolved(facts)
    SearchConfig(train_portion=1 - 0.5 / images).resolved(facts)
    for train, valid in ((0.1, 0.5 / images), (0.6, 0.6)):
        with pytest.raises(UserError, match=rf"^valid_portion: .* got {valid}$"):
            SearchConfig(train_portion=train, valid_portion=valid).resolved(facts)
    SearchConfig(train_portion=0.1, valid_portion=0.1).resolved(facts)


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"held_out": 0.9999}, NOT_HELD_OUT),
        (
            {"auto_augment": True},
            "auto_augment: expected false for digits, for which no policy was published; got true",
        ),
    ],
)
def test_a_setting_that_does_not_fit_the_data_set_is_refused(values, line):
    with pytest.raises(UserError) as refusal:
        TrainingConfig(**values).resolved(DATASETS["digits"])
    assert str(refusal.value) == line


@pytest.mark.parametrize("config", CONFIGS)
def test_what_only_reading_tells_is_not_checked_before(config):
    unread = dataclasses.replace(DATASETS["cifar10"], train_images=0, test_images=0)
    assert config().resolved(unread) == config().resolved(DATASETS["cifar10"])


@pytest.mark.parametrize("config", CONFIGS)
def test_making_a_config_looks_nothing_up(config, monkeypatch):
    monkeypatch.setattr(datasets, "find", None)
    for name in ("image_folder:nowhere", "tfds:mnist", "whatever"):
        made = config(dataset=name)
        assert (made.dataset, made.stem) == (name, "auto")


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("name", list(DATASETS))
def test_resolving_twice_is_resolving_once(config, name):
    facts = DATASETS[name]
    resolved = config(dataset=name).resolved(facts)
    assert resolved.resolved(facts) == resolved
    assert resolved.dataset == name
    # Images in memory have a name of their own, whatever the settings say.
    assert config().resolved(dataclasses.replace(facts, name="mine")).dataset == "mine"


@pytest.mark.parametrize("config", CONFIGS)
def test_a_data_set_decides_what_the_defaults_leave_to_it(config):
    facts = DATASETS["digits"]
    default = config(dataset="digits")
    assert dataclasses.replace(default, **config.decided(facts)) == default.resolved(facts)


def test_a_download_is_no_part_of_what_a_run_is():
    assert flag_lines(SearchConfig(download=True)) == flag_lines(SearchConfig())


def test_cutout_is_the_data_sets_own_unless_said():
    for facts in DATASETS.values():
        assert TrainingConfig().resolved(facts).cutout == facts.cutout
        assert TrainingConfig(cutout=7).resolved(facts).cutout == 7
        assert TrainingConfig(cutout=0).resolved(facts).cutout == 0


def test_padding_is_minus_one_or_a_share_and_only_for_what_is_padded():
    with pytest.raises(UserError, match=r"^padding: expected -1 or at least 0, got -0\.5$"):
        TrainingConfig(padding=-0.5)
    assert TrainingConfig(padding=0.1).resolved(DATASETS["cifar10"]).padding == 0.1
    with pytest.raises(UserError, match="padding: expected -1 for imagenet, whose images"):
        TrainingConfig(padding=0.1).resolved(DATASETS["imagenet"])


@pytest.mark.parametrize(
    ("text", "interval"),
    [("1epoch", (1, "epoch")), ("5 epochs", (5, "epoch")), ("200steps", (200, "step"))],
)
def test_checkpoints_come_after_steps_or_epochs(text, interval):
    config = TrainingConfig(checkpoint_every=text)
    assert config.checkpoint_interval() == interval
    assert flag_lines(config) == flag_lines(TrainingConfig())


def test_numbers_of_numpy_and_paths_become_plain(tmp_path):
    config = SearchConfig(epochs=np.int64(3), learning_rate=np.float64(0.5), data_dir=tmp_path)
    assert (type(config.epochs), type(config.learning_rate)) == (int, float)
    assert config.data_dir == str(tmp_path)
    assert SearchConfig(weight_decay=0).weight_decay == 0.0


@pytest.mark.parametrize("folder", ["a\nb", "a\u2028b", " a", "a\r"])
def test_a_folder_that_no_flag_line_could_hold_is_refused(folder):
    with pytest.raises(UserError, match=r"^data_dir: expected one line"):
        SearchConfig(data_dir=folder)


def test_threads_are_recorded_resolved(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 3, 5}, raising=False)
    assert SearchConfig().threads == 3
    assert "--threads=3" in flag_lines(SearchConfig())
    assert SearchConfig(threads=2).threads == 2
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert SearchConfig().threads == 1


@given(rate=st.floats(1e-300, 1e300), decay=st.floats(0, 1e300))
def test_floats_in_flag_lines_read_back_as_the_same_number(rate, decay):
    config = TrainingConfig(learning_rate=rate, weight_decay=decay)
    lines = dict(line.removeprefix("--").split("=", 1) for line in flag_lines(config))
    assert float(lines["learning_rate"]) == rate
    assert float(lines["weight_decay"]) == decay
    fields = [field.name for field in dataclasses.fields(config)]
    assert list(lines) == [n for n in fields if n not in NOT_RECORDED]


@pytest.mark.parametrize("name", zoo.names())
def test_a_published_genotype_is_recorded_by_a_name_that_gives_it_back(name):
    config = TrainingConfig(layers=space_of(zoo.get(name)).most_layers or 20)
    line = training_flag_lines(config, zoo.get(name))[-1]
    assert zoo.get(line.removeprefix("--genotype=")) == zoo.get(name)


def test_any_other_genotype_is_recorded_as_one_line_of_json(seed):
    random = np.random.default_rng(seed)
    published = [zoo.get(name) for name in zoo.names()]
    edges = [("sep_conv_7x7", int(random.integers(0, 2 + node))) for node in range(4) for _ in "12"]
    genotype = Genotype(tuple(edges), (2, 3, 4, 5), tuple(edges), (2, 5))
    assert genotype not in published
    lines = training_flag_lines(TrainingConfig(), genotype)
    assert lines[:-1] == flag_lines(TrainingConfig())
    found = lines[-1].removeprefix("--genotype=")
    assert not set(found) & set(" \n")
    assert json.loads(found) == json.loads(genotype.to_json())
    assert Genotype.from_json(found) == genotype


def test_a_genotype_by_stage_is_recorded_as_json_and_needs_a_cell_in_each_stage():
    genotype = by_stage("DARTS_V2")
    line = training_flag_lines(TrainingConfig(layers=5), genotype)[-1]
    assert read_genotype(line.removeprefix("--genotype=")) == genotype
    with pytest.raises(UserError, match=r"^--layers: expected at least 5 .*, got 4$"):
        training_flag_lines(TrainingConfig(layers=4), genotype)


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("name", list(DATASETS))
def test_the_data_set_names_the_stem_unless_the_user_does(config, name):
    facts = DATASETS[name]
    assert config().resolved(facts).stem == facts.stem
    assert f"--stem={facts.stem}" in flag_lines(config().resolved(facts))
    for stem in STEMS:
        assert config(stem=stem).resolved(facts).stem == stem


def test_what_both_configs_share_has_one_meaning():
    search, training = ({f.name: f for f in dataclasses.fields(config)} for config in CONFIGS)
    shared = search.keys() & training.keys()
    assert len(shared) >= 15
    for name, key in itertools.product(shared - {"epochs"}, ("text", "bounds", "choices")):
        assert search[name].metadata[key] == training[name].metadata[key]


def test_a_run_from_before_a_setting_goes_on_with_what_it_was_made_with(tmp_path):
    """Halves were made in order before portions_by: catalogue sets go on, others are asked."""

    def lines(name: str, by: str = "auto") -> tuple[str, ...]:
        facts = facts_in_proportion(name, 8, ("a", "b"), portions_by="class")
        facts = DATASETS.get(name, facts)
        config = SearchConfig(dataset=name, portions_by=by, train_portion=0.5).resolved(facts)
        return flag_lines(config)

    for name in ("digits", "image_folder:photos"):
        run = RunDirectory(tmp_path / name.partition(":")[0], "search")
        run.claim([line for line in lines(name) if not line.startswith("--portions_by")])
        earlier = earlier_lines(SearchConfig)
        if name == "digits":
            run.claim(lines(name), earlier)
        else:
            with pytest.raises(UserError, match="portions_by"):
                run.claim(lines(name), earlier)
        run.claim(lines(name, "order"), earlier)
