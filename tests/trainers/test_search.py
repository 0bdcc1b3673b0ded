"""The program `trainers.search`: refusals before TensorFlow, and what it tells of a run."""

import logging
import shlex

import pytest

import darts_tf
from darts_tf.config import SearchConfig, flag_lines
from darts_tf.errors import UserError
from darts_tf.report.pictures.text import as_text
from darts_tf.runs.directory import RunDirectory
from darts_tf.spaces import zoo
from tests.stages import by_stage
from tests.stopping import history
from tests.trainers.programs import python, refused
from trainers import search, train

GENOTYPE = zoo.get("DARTS_PLUS_CIFAR10")


@pytest.fixture
def searched(monkeypatch, tmp_path):
    """Stands in for the library's search, and keeps what it was given."""
    calls = []

    def stand_in(config, run, **plugs):
        calls.append((config, run.path))
        logging.getLogger("darts_tf.search").info("epoch 0: train 2.3")
        found = {"genotype": GENOTYPE.to_dict(), "epoch": 7, "reason": "Criterion 1: 2 skips"}
        run.write_json(run.genotype, found)

    monkeypatch.setitem(vars(darts_tf), "search", stand_in)
    monkeypatch.chdir(tmp_path)
    return calls


def test_a_search_gets_its_config_and_directory(searched, tmp_path):
    search.main(["--flagfile=digits.flags", "--run_dir=here", "--epochs=3"])
    [(config, path)] = searched
    assert (config.dataset, config.epochs) == ("digits", 3)
    assert path.resolve() == tmp_path / "here"
    assert (path / "config.flags").read_text().splitlines()[1:] == list(flag_lines(config))
    assert "epoch 0: train 2.3" in (path / "search.log").read_text()


def test_the_run_directory_is_named_after_the_data_set(searched, tmp_path):
    search.main(["--dataset=digits"])
    assert searched[0][1].resolve() == tmp_path / "runs" / "digits"


def test_a_search_tells_the_cells_the_reason_and_a_next_command_that_works(
    searched, capsys, monkeypatch
):
    search.main(["--dataset=digits", "--run_dir=my run", "--data_dir=my data"])
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "epoch 0: train 2.3"
    assert "\n".join(told[1:-2]) == as_text(GENOTYPE)
    assert told[-2] == "stopped after epoch 7: Criterion 1: 2 skips"
    assert told[-1].startswith("next: python -m trainers.train ")

    trained = []
    monkeypatch.setitem(vars(darts_tf), "train", lambda *given, data: trained.append(given))
    words = shlex.split(told[-1])
    with pytest.raises(UserError, match=r"result\.json|No such file"):
        train.main(words[4:])
    [(config, genotype, run)] = trained
    assert (genotype, config.dataset, config.data_dir) == (GENOTYPE, "digits", "my data")
    assert run.path.name == "digits-network"


def test_a_search_by_stage_tells_each_cell_and_its_next_command_trains_them(
    searched, capsys, monkeypatch
):
    genotype = by_stage("DARTS_PLUS_CIFAR10")
    monkeypatch.setitem(globals(), "GENOTYPE", genotype)
    search.main(["--dataset=digits", "--layers=5", "--share_alphas=stage"])
    told = capsys.readouterr().out.splitlines()
    assert "\n".join(told[1:-2]) == as_text(genotype)
    trained = []
    monkeypatch.setitem(vars(darts_tf), "train", lambda *given, data: trained.append(given))
    with pytest.raises(UserError, match=r"result\.json|No such file"):
        train.main(shlex.split(told[-1])[4:])
    assert trained[0][1] == genotype
    with pytest.raises(UserError, match=r"^--layers: expected at least 5 .*, got 4$"):
        train.main([*shlex.split(told[-1])[4:], "--layers=4", "--run_dir=other"])


def test_a_folder_of_images_names_the_run_and_stands_in_the_next_command(
    searched, capsys, tmp_path, monkeypatch
):
    for name in "ab":
        (tmp_path / "my pets" / name).mkdir(parents=True)
        for number in range(5):
            (tmp_path / "my pets" / name / f"{number}.png").touch()
    search.main(["--dataset=image_folder:my pets", "--image_size=16"])
    assert searched[0][1].resolve() == tmp_path / "runs" / "my pets"
    trained = []
    monkeypatch.setitem(vars(darts_tf), "train", lambda *given, data: trained.append(given))
    words = shlex.split(capsys.readouterr().out.splitlines()[-1])
    with pytest.raises(UserError, match=r"result\.json|No such file"):
        train.main(words[4:])
    [(config, _, run)] = trained
    assert (config.dataset, config.image_size) == ("image_folder:my pets", 16)
    assert run.path.name == "my pets-network"


def test_a_data_set_that_is_fetched_or_there_is_the_same_run(searched, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    search.main(["--dataset=digits", "--download"])
    search.main(["--dataset=digits"])
    assert [config.download for config, _ in searched] == [True]


def test_a_finished_search_says_so_and_searches_no_more(searched, capsys):
    search.main(["--dataset=digits"])
    first = capsys.readouterr().out.splitlines()
    search.main(["--dataset=digits"])
    second = capsys.readouterr().out.splitlines()
    assert len(searched) == 1
    assert second[0] == "runs/digits: this run is finished"
    assert second[1:] == first[1:]


def test_the_recorded_flags_repeat_the_run_elsewhere(searched):
    search.main(["--flagfile=digits.flags", "--seed=5", "--threads=1"])
    search.main(["--flagfile=runs/digits/config.flags", "--run_dir=again"])
    assert searched[0][0] == searched[1][0]


def test_another_runs_directory_is_refused(searched):
    search.main(["--dataset=digits", "--run_dir=here"])
    with pytest.raises(UserError, match=r"--seed \(0 there, 1 now\)"):
        search.main(["--dataset=digits", "--run_dir=here", "--seed=1"])
    assert len(searched) == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--dataset=cifar"], ["--dataset: ", "'cifar'", "Did you mean 'cifar10'?"]),
        (
            ["--dataset=image_folder:empty"],
            ["--dataset: expected a folder for each of at least two classes in empty, got none"],
        ),
        (["--epoch=3"], ["'--epoch'", "Did you mean '--epochs'?"]),
        (["--epochs=0"], ["--epochs: expected at least 1, got 0"]),
        (["--layers=3", "--share_alphas=stage"], ["--layers: expected at least 5 ", "got 3"]),
        (["--stem=image"], ["--stem: expected one of auto, ", "got 'image'"]),
        (["--flagfile=digit.flags"], ["--flagfile=digit.flags", "Did you mean 'digits.flags'?"]),
        (["--flagfile=typo.flags"], ["typo.flags, line 2", "--epoch"]),
        (["--dataset=digits", "extra"], ["unexpected 'extra'"]),
        (["--dataset=digits", "--run_dir=file/below"], ["--run_dir=file/below: Not a directory"]),
        (["--dataset=digits", "--run_dir=other"], ["--run_dir=other", "--seed (3 there, 0 now)"]),
        (["--dataset=digits", "--run_dir=foreign"], ["--run_dir=foreign", "notes.txt"]),
        (["--dataset=cifar10", "--data_dir=empty"], ["cifar10", "empty", "--data_dir"]),
    ],
    ids=lambda value: value[-1] if isinstance(value[-1], str) else None,
)
def test_a_mistake_is_one_line_before_tensorflow_is_imported(tmp_path, arguments, told):
    (tmp_path / "file").write_text("x")
    (tmp_path / "typo.flags").write_text("--dataset=digits\n--epoch=3\n")
    (tmp_path / "empty").mkdir()
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "notes.txt").write_text("x")
    other = RunDirectory(tmp_path / "other", "search")
    other.claim(flag_lines(SearchConfig(dataset="digits", seed=3)))
    line = refused("trainers.search", *arguments, cwd=tmp_path)
    assert all(words in line for words in told), line
    assert not (tmp_path / "runs").exists()


def test_as_a_module_it_ends_with_the_status_of_its_outcome(tmp_path):
    ended = python("-m", "trainers.search", "--layers=2", cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "search: --layers: expected at least 3, got 2\n"
    ended = python("-m", "trainers.search", "--help", cwd=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "--stop_criterion=skip_connects" in ended.stdout


def test_the_page_tells_what_each_criterion_would_have_done(searched, monkeypatch):
    def stand_in(config, run, **plugs):
        for record in history([0, 1, 3]):
            run.append_history(record.to_dict())
        run.write_json(run.genotype, {"genotype": GENOTYPE.to_dict(), "epoch": 2, "reason": "last"})

    monkeypatch.setitem(vars(darts_tf), "search", stand_in)
    search.main(["--dataset=digits", "--run_dir=here"])
    page = RunDirectory("here", "search").report.read_text()
    assert "What each criterion would have done" in page
    assert "3 skip-connects, normal, every epoch" in page.replace("<wbr>", "")
