"""The program `trainers.tune`: refusals before TensorFlow, and its output."""

import contextlib
import dataclasses
import shlex
from typing import ClassVar

import pytest

import darts_tf
from darts_tf import criteria, methods, spaces
from darts_tf.command_line.parsing import parse
from darts_tf.config import SearchConfig, setting
from darts_tf.errors import UserError
from darts_tf.spaces.search_space import SearchSpace
from darts_tf.tuning.config import TuningConfig
from darts_tf.tuning.tune import tune as tune_with
from tests.contracts import known
from tests.trainers.programs import refused
from trainers import presets, search, tune

VARIABLES = ("KERASTUNER_TUNER_ID", "KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sampled(methods.Method):
    """A method with a setting."""

    name: ClassVar[str] = "sampled"
    tau: float = setting(10.0, "Temperature.", above=0.0)


@dataclasses.dataclass(frozen=True)
class LossBelow(criteria.Criterion):
    """A criterion with a setting."""

    name: ClassVar[str] = "loss_below"
    nats: float = setting(0.5, "Training loss that ends the search.", above=0.0)


SHALLOW = SearchSpace(["skip_connect", "sep_conv_3x3"], nodes=2, name="shallow")
NO_TUA = (
    "unknown flag '--sampled_tua': --method=sampled has no setting 'tua'; expected one of "
    "--sampled_tau"
)
PLUGS = ["--method=sampled", "--space=shallow", "--stop_criterion=loss_below"]


@pytest.fixture
def plugs():
    """A method, a space and a criterion of a user's own."""
    with contextlib.ExitStack() as stack:
        for room, plug in ((methods, Sampled), (spaces, SHALLOW), (criteria, LossBelow)):
            stack.enter_context(known(room, plug))
        yield


@pytest.fixture
def tuned(monkeypatch, tmp_path):
    """The library's tune, its trials worth their learning rate; keeps their settings."""
    calls = []

    def worth(settings, training, folder):
        calls.append(settings)
        return settings.learning_rate

    def stand_in(config, path, **plugs):
        return tune_with(config, path, worth, **plugs)

    monkeypatch.setitem(vars(darts_tf), "tune", stand_in)
    monkeypatch.chdir(tmp_path)
    return calls


def test_a_tune_tells_its_trials_and_a_next_command_that_searches_with_the_best(
    tuned, capsys, monkeypatch
):
    tune.main(["--flagfile=digits.flags", "--trials=3", "--data_dir=my data"])
    told = capsys.readouterr().out.splitlines()[-5:]
    names = ["trial", "valid", "accuracy", "epochs", "learning_rate", "weight_decay"]
    assert told[0].split() == [*names, "arch_learning_rate"]
    rows = [line.split() for line in told[1:4]]
    rates = sorted((settings.learning_rate for settings in tuned), reverse=True)
    assert [float(row[3]) for row in rows] == rates
    assert [row[1] for row in rows] == [f"{rate:.2%}" for rate in rates]
    assert told[4].startswith("next: python -m trainers.search --flagfile=runs/digits-tuned/best")

    searched = []

    def stand_in(config, path, **plugs):
        searched.append(config)
        raise KeyboardInterrupt

    monkeypatch.setitem(vars(darts_tf), "search", stand_in)
    with pytest.raises(KeyboardInterrupt):
        search.main([*shlex.split(told[4])[4:], "--run_dir=again"])
    best = max(tuned, key=lambda settings: settings.learning_rate)
    assert searched == [best]


def test_a_finished_tune_says_so_and_tries_no_more(tuned, capsys):
    for _ in range(2):
        tune.main(["--flagfile=digits.flags", "--trials=2", "--run_dir=here"])
    told = capsys.readouterr().out.splitlines()
    assert len(tuned) == 2
    again = told.index("here: this run is finished")
    assert told[again + 1 :] == told[again - len(told[again + 1 :]) : again]


def test_plugs_and_their_flags_reach_the_trials_and_the_best_flags(
    plugs, tuned, tmp_path, monkeypatch
):
    given = [*PLUGS, "--sampled_tau=3.5", "--loss_below_nats=0.25"]
    tune.main(["--dataset=digits", "--trials=1", "--run_dir=here", *given])
    [trial] = tuned
    assert (trial.method, trial.space, trial.stop_criterion) == ("sampled", "shallow", "loss_below")
    for name in ("config.flags", "best.flags"):
        assert set(given) <= set((tmp_path / "here" / name).read_text().splitlines())

    searched = []

    def stand_in(config, path, **found):
        searched.append((config, found["method"], found["criterion"]))
        raise KeyboardInterrupt

    monkeypatch.setitem(vars(darts_tf), "search", stand_in)
    with pytest.raises(KeyboardInterrupt):
        search.main(["--flagfile=here/best.flags", "--run_dir=again"])
    [(config, method, criterion)] = searched
    assert config == trial
    assert methods.get(method) == Sampled(tau=3.5)
    assert criteria.get(criterion) == LossBelow(nats=0.25)
    with pytest.raises(UserError, match=r"--sampled_tau \(3\.5 there, 4\.0 now\)"):
        tune.main(["--dataset=digits", "--trials=1", "--run_dir=here", *given, "--sampled_tau=4.0"])


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--sampled_tau=3"], "unknown flag '--sampled_tau' without --method=sampled"),
        (
            ["--method=sampled", "--sampled_tua=3"],
            NO_TUA,
        ),
        (
            ["--method=sampled", "--sampled_tau=0"],
            "--sampled_tau: expected a value above 0.0, got 0.0",
        ),
        (
            ["--stop_criterion=loss_below", "--loss_below_nats=x"],
            "--loss_below_nats=x: expected a number",
        ),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_a_mistake_in_a_plugs_flag_is_told(plugs, tuned, tmp_path, arguments, line):
    with pytest.raises(UserError) as error:
        tune.main(["--dataset=digits", *arguments])
    assert str(error.value) == line
    assert not tuned
    assert not (tmp_path / "runs").exists()


def test_the_preset_is_the_search_of_the_digits_in_small():
    config, _ = parse(["--flagfile=digits.flags"], TuningConfig, "", presets=presets.folder("tune"))
    right, _ = parse(
        ["--flagfile=digits.flags"], SearchConfig, "", presets=presets.folder("search")
    )
    differing = {
        field.name
        for field in dataclasses.fields(SearchConfig)
        if getattr(config, field.name) != getattr(right, field.name)
    }
    assert differing == {"epochs", "init_channels"}
    text = (presets.folder("tune") / "digits.flags").read_text(encoding="utf-8")
    assert "python -m trainers.tune --flagfile=digits.flags" in text


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--tune=learning_rat"], ["--tune: ", "Did you mean 'learning_rate'?"]),
        (["--tuner=grid"], ["--tuner: expected one of random, hyperband, bayesian"]),
        (["--method=dart"], ["--method: ", "'dart'", "Did you mean 'darts'?"]),
        (["--space=dart"], ["--space: ", "'dart'", "Did you mean 'darts'?"]),
        (["--stop_criterion=stable"], ["--stop_criterion: ", "Did you mean 'stable_ranking'?"]),
        (["--trial=3"], ["'--trial'", "Did you mean '--trials'?"]),
        (["--flagfile=digit.flags"], ["Did you mean 'digits.flags'?"]),
        (["--dataset=digits", "--run_dir=foreign"], ["--run_dir=foreign", "notes.txt"]),
    ],
    ids=lambda value: value[-1] if isinstance(value[-1], str) else None,
)
def test_a_mistake_is_one_line_before_tensorflow_is_imported(tmp_path, arguments, told):
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "notes.txt").write_text("x")
    line = refused("trainers.tune", *arguments, cwd=tmp_path)
    assert all(words in line for words in told), line
    assert not (tmp_path / "runs").exists()


def test_half_an_environment_is_told_too(tmp_path, monkeypatch):
    monkeypatch.setenv("KERASTUNER_TUNER_ID", "chief")
    line = refused("trainers.tune", "--dataset=digits", cwd=tmp_path)
    assert line.startswith("tune: KERASTUNER_ORACLE_IP: expected ")
    for name, value in zip(VARIABLES, ("tuner1", "127.0.0.1", "x"), strict=True):
        monkeypatch.setenv(name, value)
    line = refused("trainers.tune", "--dataset=digits", cwd=tmp_path)
    assert line.startswith("tune: KERASTUNER_ORACLE_PORT: expected a port")
