"""Flags: made from settings, read from the command line and from flag files."""

import dataclasses
import math
import os
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from darts_tf.command_line.parsing import parse, parse_with_plugs
from darts_tf.config import SearchConfig, TrainingConfig, flag_lines
from darts_tf.data.sources.catalog import DATASETS
from darts_tf.errors import UserError
from darts_tf.registry import Registry
from darts_tf.settings import Settings, setting
from trainers import presets

EXTRA = {"run_dir": "Where the run goes."}


def read(*arguments, config=SearchConfig, program="search"):
    return parse(arguments, config, "About.", extra=EXTRA, presets=presets.folder(program))


def refusal(*arguments):
    with pytest.raises(UserError) as error:
        read(*arguments)
    return str(error.value)


def values_of(field):
    """A strategy for all right values of a setting."""
    bounds, kind = field.metadata["bounds"], type(field.default)
    if field.metadata["choices"]:
        return st.sampled_from(field.metadata["choices"])
    low = bounds.get("at least", bounds.get("above"))
    high = bounds.get("at most", bounds.get("below"))
    if kind is bool:
        return st.booleans()
    if kind is int:
        return st.integers(low, high if high is not None else 10**9)
    if kind is float:
        return st.floats(
            low,
            high if high is not None else 1e300,
            exclude_min="above" in bounds,
            exclude_max="below" in bounds,
        )
    letters = st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"])
    return st.text(letters).map(str.strip)


@st.composite
def configs(draw, kind):
    values = {field.name: draw(values_of(field)) for field in dataclasses.fields(kind)}
    values["dataset"] = draw(st.sampled_from(tuple(DATASETS)))
    not_recorded = {
        "download": False,
        "extend": False,
        "checkpoint_every": "1epoch",
        "worker_timeout": 300,
        "logger": "none",
        "benchmark_dir": "",
    }
    values |= {name: value for name, value in not_recorded.items() if name in values}
    values["learning_rate_min"] = min(values["learning_rate_min"], values["learning_rate"])
    steps = sorted(draw(st.lists(st.integers(0, 10**6), min_size=2, max_size=2)))
    values["profile_steps"] = draw(st.sampled_from(("", f"{steps[0]},{steps[1]}")))
    if kind is SearchConfig:
        values["train_portion"] = draw(st.floats(0.01, 0.98))
        values["valid_portion"] = draw(st.sampled_from((0.0, 0.98 - values["train_portion"])))
        if values["valid_portion"] < 0.01:
            values["valid_portion"] = 0.0
        if values["share_alphas"] == "stage":
            values["layers"] = max(5, values["layers"])
        values["arch_start_epoch"] = draw(st.integers(0, values["epochs"] - 1))
        if values["arch_order"] == "second" and values["mixed_precision"] == "float16":
            values["mixed_precision"] = "bfloat16"
    else:
        values["held_out"] = draw(st.just(0.0) | st.floats(0.01, 0.98))
        values["warmup_epochs"] %= values["epochs"]
        values["repeats"] = min(values["repeats"], 2**31 - values["seed"])
        if values["strategy"] == "multi_worker":
            values["repeats"] = 1
        facts = DATASETS[values["dataset"]]
        values["auto_augment"] &= bool(facts.policy)
        padded = st.just(-1.0) | st.floats(0, 0.99)
        values["padding"] = draw(padded) if facts.crop == "pad" else -1.0
    return kind(**values)


@pytest.mark.parametrize("kind", [SearchConfig, TrainingConfig])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(data=st.data())
def test_recorded_flags_repeat_any_config(kind, tmp_path, data):
    config = data.draw(configs(kind))
    lines = flag_lines(config)
    assert read(*lines, config=kind)[0] == config
    file = tmp_path / "config.flags"
    file.write_text("# a comment\n\n" + "\n".join(lines) + "\n", encoding="utf-8")
    assert read(f"--flagfile={file}", config=kind)[0] == config


def test_recorded_flags_repeat_a_path_that_is_no_utf8(tmp_path):
    config = SearchConfig(data_dir=os.fsdecode(b"/data/\xff\xe4"))
    file = tmp_path / "config.flags"
    file.write_bytes(os.fsencode("\n".join(flag_lines(config))))
    assert read(f"--flagfile={file}")[0] == config


def test_no_flags_are_the_defaults():
    assert read() == (SearchConfig(), {"run_dir": ""})


@pytest.mark.parametrize(
    "arguments",
    [["--epochs=7"], ["--epochs", "7"], ["-epochs=7"], ["--epochs=2", "--epochs=7"]],
)
def test_a_flag_may_be_written_as_absl_has_it(arguments):
    assert read(*arguments)[0].epochs == 7


def test_a_truth_may_be_written_as_absl_has_it():
    for word in ("--sync_batch_norm", "--sync_batch_norm=true", "--sync_batch_norm=1"):
        assert read(word)[0].sync_batch_norm
        assert not read(word, "--nosync_batch_norm")[0].sync_batch_norm


def test_what_stands_later_wins_over_a_flag_file_and_it_over_what_stands_before(tmp_path):
    file = tmp_path / "my.flags"
    file.write_text("--epochs=5\n--layers=6\n")
    assert read("--epochs=7", f"--flagfile={file}")[0].epochs == 5
    config, _ = read("--flagfile", str(file), "--epochs=7")
    assert (config.epochs, config.layers) == (7, 6)


def test_a_flag_file_in_the_folder_hides_the_preset_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert read("--flagfile=digits.flags")[0].dataset == "digits"
    (tmp_path / "digits.flags").write_text("--dataset=cifar10\n")
    assert read("--flagfile=digits.flags")[0].dataset == "cifar10"


def test_the_tilde_is_the_users_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "my.flags").write_text("--epochs=5\n")
    config, extra = read("--flagfile=~/my.flags", "--run_dir=~/runs/x")
    assert config.epochs == 5
    assert extra == {"run_dir": str(tmp_path / "runs" / "x")}


def test_an_operand_is_the_value_of_its_flag_wherever_it_stands(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "my.flags").write_text("--epochs=5\n")

    def told(*arguments):
        config, given = parse(arguments, SearchConfig, "About.", extra=EXTRA, operand="run_dir")
        return config.epochs, given["run_dir"]

    assert told("here", "--epochs=7") == told("--epochs", "7", "here") == (7, "here")
    assert told("--run_dir=here") == (60, "here")
    assert told("~/runs") == (60, str(tmp_path / "runs"))
    assert told(f"--flagfile={tmp_path / 'my.flags'}", "{}") == (5, "{}")
    for words in (["a", "b"], ["a", "--flagfile=~/my.flags", "b"], ["b", "--run_dir=a", "b"]):
        with pytest.raises(UserError, match="unexpected 'b'; a flag is --name=value"):
            told(*words)
    (tmp_path / "my.flags").write_text("here\n")
    with pytest.raises(UserError, match=r"my\.flags, line 1: unexpected 'here'"):
        told("--flagfile=~/my.flags")


@pytest.mark.parametrize(
    ("argument", "line"),
    [
        ("--epochs=x", "--epochs=x: expected an integer"),
        ("--epochs=1.5", "--epochs=1.5: expected an integer"),
        ("--epochs=", "--epochs=: expected an integer"),
        ("--epochs=0", "--epochs: expected at least 1, got 0"),
        ("--learning_rate=fast", "--learning_rate=fast: expected a number"),
        ("--learning_rate=nan", "--learning_rate: expected a finite number, got nan"),
        ("--learning_rate=1e999", "--learning_rate: expected a finite number, got inf"),
        ("--sync_batch_norm=maybe", "--sync_batch_norm=maybe: expected true or false"),
        ("--nosync_batch_norm=true", "--nosync_batch_norm=true does not take an argument"),
        ("--epoch=3", "unknown flag '--epoch'. Did you mean '--epochs'? --helpfull lists all"),
        (
            "--flagfil=x",
            "unknown flag '--flagfil'. Did you mean '--flagfile'? --helpfull lists all",
        ),
        ("--epochs", "Missing value for flag --epochs"),
        ("cifar10", "unexpected 'cifar10'; a flag is --name=value."),
        ("-", "unexpected '-'; a flag is --name=value."),
        ("--", "unexpected '--'; a flag is --name=value."),
        ("--=1", "unexpected '--=1'; a flag is --name=value."),
        (f"--{'x' * 5000}=1", f"unknown flag '--{'x' * 5000}'. --helpfull lists all"),
        ("--data_dir=a\nb", "--data_dir: expected one line without spaces around it, got 'a\\nb'"),
    ],
)
def test_mistakes_on_the_command_line(argument, line):
    assert refusal(argument) == line


def test_a_flag_file_without_its_flag_is_recognised():
    assert refusal("x.flags").endswith("Did you mean '--flagfile=x.flags'?")


@pytest.mark.parametrize("argument", ["--undefok=what", "--undefok"])
def test_unknown_flags_cannot_be_waved_through(argument):
    assert "unknown flag" in refusal(argument, "--what=1")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("--epoch=3", "unknown flag '--epoch'. Did you mean '--epochs'?"),
        ("epochs=3", "unexpected 'epochs=3'"),
        ("--", "unexpected '--'"),
        ("--epochs 3", "unknown flag '--epochs 3'"),
        ("--epochs=x", "--epochs=x: expected an integer"),
        ("--epochs", "Missing value for flag --epochs"),
        ("--flagfile=other.flags", "unknown flag '--flagfile=other.flags' here"),
        ("--undefok=what", "unknown flag '--undefok=what' here"),
        ("// absl's other comment", "unexpected '// absl's other comment'"),
        ("--run_dir=a\0b", "null bytes"),
    ],
)
def test_a_line_that_the_program_does_not_know_is_told_with_file_and_number(tmp_path, line, told):
    file = tmp_path / "my.flags"
    file.write_text(f"# a comment\n  # another\n--seed=1\n\n{line}\n--layers=8\n")
    found = refusal(f"--flagfile={file}")
    assert found.startswith(f"{file}, line 5: ")
    assert told in found


def test_flag_files_that_cannot_be_read(tmp_path):
    assert "'digits.flags'" in refusal("--flagfile=digit.flags")
    listed = refusal("--flagfile=nothing-like-it").partition("Presets: ")[2]
    assert {"cifar10.flags", "digits.flags", "gdas_cifar10.flags"} <= set(listed.split(", "))
    for name in (tmp_path, tmp_path / ("x" * 300), "", tmp_path / "file" / "below"):
        assert refusal(f"--flagfile={name}").startswith(f"--flagfile={name}: ")
    assert refusal("--flagfile").startswith("--flagfile=: ")
    binary = tmp_path / "image.png"
    binary.write_bytes(bytes(range(128, 256)))
    assert refusal(f"--flagfile={binary}").startswith(f"{binary}, line 1: ")


@pytest.mark.parametrize("word", ["--helpfull", "-helpfull"])
def test_the_full_help_shows_every_flag_with_its_text_and_default(capsys, word):
    with pytest.raises(SystemExit) as ended:
        read("--epochs=wrong", word)
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert shown.startswith("About.\n")
    words = " ".join(shown.split())
    for field in dataclasses.fields(SearchConfig):
        default = str(field.default).lower() if field.default is False else field.default
        assert f"--{field.name}={default} {field.metadata['text']}".replace("=  ", "= ") in words
    assert "--run_dir= Where the run goes." in words
    known = ", ".join(presets.names("search"))
    assert f"--flagfile= A file of flags, or one of {known}." in words


def test_no_number_is_changed_on_its_way():
    rate = math.nextafter(0.025, 1)
    assert read(f"--learning_rate={rate!r}")[0].learning_rate == rate


NO_TUA = (
    "unknown flag '--sampled_tua': --method=sampled has no setting 'tua'; expected one of "
    "--sampled_tau"
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sampled(Settings):
    name: ClassVar[str] = "sampled"
    tau: float = setting(10.0, "Temperature.", above=0.0)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plain(Settings):
    name: ClassVar[str] = "darts"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--sampled_tau=3"], "unknown flag '--sampled_tau' without --method=sampled"),
        (
            ["--sampled_tua=3"],
            NO_TUA,
        ),
        (
            ["--method=sampled", "--sampled_tua=3"],
            NO_TUA,
        ),
        (["--darts_x"], "unknown flag '--darts_x': --method=darts has no setting 'x'"),
        (["--gdas_tau=3"], "unknown flag '--gdas_tau'. --helpfull lists all"),
    ],
)
def test_a_flag_of_a_plug_is_told_whose_it_is(arguments, line):
    room = Registry("method", None, {})
    room.register(Plain)
    room.register(Sampled)
    with pytest.raises(UserError) as error:
        parse_with_plugs(arguments, SearchConfig, "About.", {"method": room})
    assert str(error.value) == line
