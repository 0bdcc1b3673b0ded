"""The program `trainers.train`: its genotype, refusals before TensorFlow, and what it tells."""

import json

import pytest

import darts_tf
from darts_tf.config import SearchConfig, flag_lines, training_flag_lines
from darts_tf.errors import UserError
from darts_tf.runs.directory import RunDirectory
from darts_tf.spaces import zoo
from darts_tf.spaces.genotype import Genotype
from tests.trainers.programs import python, refused
from trainers import train

DIGITS = "--flagfile=digits.flags"
KNOWN = zoo.get("DARTS_V2")
OWN = Genotype(KNOWN.normal, (2, 3), KNOWN.reduce, (2, 3))


@pytest.fixture
def trained(monkeypatch, tmp_path):
    """Stands in for the library's training, and keeps what it was given."""
    calls = []

    def stand_in(config, genotype, run, *, data):
        calls.append((config, genotype, run.path))
        run.write_json(
            run.result, {"top1_error_percent": 2.512, "parameters": 3300000, "classes": ["a", "b"]}
        )

    monkeypatch.setitem(vars(darts_tf), "train", stand_in)
    monkeypatch.chdir(tmp_path)
    return calls


def test_a_training_gets_its_config_genotype_and_directory(trained, tmp_path):
    train.main([DIGITS, "--genotype=DARTS_V2", "--epochs=2"])
    [(config, genotype, path)] = trained
    assert (config.dataset, config.epochs, genotype) == ("digits", 2, KNOWN)
    assert path.resolve() == tmp_path / "runs" / "digits-network"
    recorded = (path / "config.flags").read_text().splitlines()
    assert recorded[1:] == list(training_flag_lines(config, KNOWN))
    assert recorded[-1] == "--genotype=DARTS_V2"


@pytest.mark.parametrize("form", ["file", "search", "inline"])
def test_a_genotype_may_be_a_file_a_searchs_file_or_json(trained, tmp_path, form):
    text = OWN.to_json(indent=2)
    if form == "search":
        text = json.dumps({"genotype": OWN.to_dict(), "epoch": 3, "reason": "Criterion 1"})
    given = text if form == "inline" else "found.json"
    (tmp_path / "found.json").write_text(text)
    train.main([DIGITS, f"--genotype={given}"])
    assert trained[0][1] == OWN


def test_a_published_name_means_the_same_wherever_one_stands(trained, tmp_path):
    (tmp_path / "DARTS_V2").write_text("not a genotype")
    train.main([DIGITS, "--genotype=DARTS_V2"])
    assert trained[0][1] == KNOWN


@pytest.mark.parametrize("genotype", [KNOWN, OWN], ids=["published", "own"])
def test_the_recorded_flags_repeat_the_run_from_themselves(trained, tmp_path, genotype):
    (tmp_path / "found.json").write_text(genotype.to_json())
    train.main([DIGITS, "--genotype=found.json", "--seed=4"])
    (tmp_path / "found.json").unlink()
    train.main(["--flagfile=runs/digits-network/config.flags", "--run_dir=again"])
    assert trained[0][:2] == trained[1][:2]


def test_a_training_tells_its_numbers_and_the_next_command(trained, capsys):
    train.main([DIGITS, "--genotype=DARTS_V2", "--run_dir=my run"])
    assert capsys.readouterr().out.splitlines() == [
        "test error 2.51 %, parameters 3,300,000",
        "next: python -m export.saved_model '--model=my run/model.keras' --output=serving/digits",
    ]


def test_a_finished_training_says_so_and_trains_no_more(trained, capsys):
    for _ in range(2):
        train.main([DIGITS, "--genotype=DARTS_V2"])
    assert len(trained) == 1
    assert "runs/digits-network: this run is finished" in capsys.readouterr().out


def test_repeats_are_told_as_table_1_tells_them(monkeypatch, tmp_path, capsys):
    def stand_in(config, genotype, run, *, data):
        assert (config.repeats, config.seed, genotype) == (3, 4, KNOWN)
        errors = {"each": [2.5, 2.32, 2.68], "mean": 2.5, "deviation": 0.18, "best": 2.32}
        summary = {"seeds": [4, 5, 6], "top1_error_percent": errors, "parameters": 3300000}
        run.write_json(run.outcome, summary)

    monkeypatch.setitem(vars(darts_tf), "train_repeats", stand_in)
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        train.main([DIGITS, "--genotype=DARTS_V2", "--repeats=3", "--seed=4", "--run_dir=three"])
    export = "python -m export.saved_model --model=three/seed_5/model.keras"
    told = [
        "test error 2.50 +- 0.18 % (best 2.32 %), parameters 3,300,000",
        f"next: {export} --output=serving/digits",
    ]
    finished = "three: this run is finished"
    assert capsys.readouterr().out.splitlines() == [*told, finished, *told]
    with pytest.raises(UserError, match=r"--repeats \(3 there, 1 now\)"):
        train.main([DIGITS, "--genotype=DARTS_V2", "--seed=4", "--run_dir=three"])


def test_another_genotype_in_the_same_directory_is_refused(trained):
    train.main([DIGITS, "--genotype=DARTS_V2"])
    with pytest.raises(UserError, match=r"--genotype \(DARTS_V2 there, DARTS_V1 now\)"):
        train.main([DIGITS, "--genotype=DARTS_V1"])


LATER = {"normal": [["skip_connect", 0], ["skip_connect", 2]], "normal_concat": [2]}
LATER |= {"reduce": [["skip_connect", 0], ["skip_connect", 1]], "reduce_concat": [2]}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (None, ["--genotype: expected", "DARTS_V2"]),
        ("DARTS_V3", ["--genotype=DARTS_V3", "Did you mean 'DARTS_V2'?"]),
        ("missing.json", ["--genotype=missing.json: no such file"]),
        ("folder", ["--genotype=folder: Is a directory"]),
        ("junk.json", ["--genotype=junk.json: ", "JSON"]),
        ("typo.json", ["--genotype=typo.json: ", "'skip_conect'", "Did you mean 'skip_connect'?"]),
        ("later.json", ["--genotype=later.json: normal[1]", "0 to 1", "got 2"]),
        ("list.json", ["--genotype=list.json: ", "normal_concat"]),
        ('{"normal": []', ["--genotype: ", "JSON"]),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_wrong_genotype_is_one_line_that_names_the_file(tmp_path, given, told):
    (tmp_path / "folder").mkdir()
    (tmp_path / "junk.json").write_text("normal = [\n")
    (tmp_path / "list.json").write_text("[1, 2]")
    (tmp_path / "later.json").write_text(json.dumps(LATER))
    (tmp_path / "typo.json").write_text(KNOWN.to_json().replace("skip_connect", "skip_conect", 1))
    genotype = [] if given is None else [f"--genotype={given}"]
    line = refused("trainers.train", DIGITS, *genotype, cwd=tmp_path)
    assert all(words in line for words in told), line
    assert not (tmp_path / "runs").exists()


def test_the_directory_of_a_search_is_refused(tmp_path):
    run = RunDirectory(tmp_path / "here", "search")
    run.claim(flag_lines(SearchConfig(dataset="digits")))
    arguments = [DIGITS, "--genotype=DARTS_V2", "--run_dir=here"]
    line = refused("trainers.train", *arguments, cwd=tmp_path)
    assert "--run_dir=here: expected the directory of a run of train" in line


def test_as_a_module_it_ends_with_the_status_of_its_outcome(tmp_path):
    ended = python("-m", "trainers.train", "--drop_path=1", cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "train: --drop_path: expected a value below 1.0, got 1.0\n"
    ended = python("-m", "trainers.train", "--helpfull", cwd=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "DARTS_PLUS_CIFAR10" in ended.stdout
