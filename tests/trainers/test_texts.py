"""The programs on a text: the presets, from a search to a trained model, and wrong commands."""

from __future__ import annotations

import json

import pytest

from darts_tf.command_line.parsing import parse
from darts_tf.config import TrainingConfig
from darts_tf.study.config import StudyConfig
from darts_tf.tuning.config import TuningConfig
from tests import texts
from tests.trainers.programs import python, refused
from trainers import presets

CONFIGS = {"tune": TuningConfig, "study": StudyConfig}

# A preset's sizes, made small, with enough rows and entries for batch normalization.
SHORT = (
    *("--flagfile=ptb.flags", "--dataset=text_file:text.txt", "--epochs=1", "--threads=1"),
    *("--init_channels=8", "--batch_size=8", "--text_bptt=10", "--text_input_dropout=0.1"),
    *("--learning_rate=5", "--learning_rate_min=5"),
)


def test_a_search_and_a_training_by_the_presets_end_with_a_model(seed, tmp_path):
    texts.write(tmp_path, seed, lines=200)
    lines = texts.sentences(seed, 200)
    vocabulary = len({*" ".join(lines).split()}) + 1  # and the end of a line
    words = len(" ".join(lines[:160]).split()) + 160
    searched = python("-m", "trainers.search", *SHORT, cwd=tmp_path)
    assert searched.returncode == 0, searched.stderr
    assert f"{words:,} words, {vocabulary} words of the vocabulary" in searched.stdout
    assert "ppl" in searched.stdout
    assert "Recurrent cell" in searched.stdout
    assert "trainers.train --genotype=runs/text.txt/genotype.json --flagfile=ptb.flags" in (
        searched.stdout
    )
    genotype = "--genotype=runs/text.txt/genotype.json"
    trained = python("-m", "trainers.train", *SHORT, genotype, cwd=tmp_path)
    assert trained.returncode == 0, trained.stderr
    assert "test perplexity" in trained.stdout
    run = tmp_path / "runs" / "text.txt-network"
    result = json.loads((run / "result.json").read_text())
    assert result["parameters"] == vocabulary * 8 + vocabulary + 4 * 8**2 + 8 * 2 * 8**2
    assert result["vocabulary"] == vocabulary
    words = ("-m", "export.saved_model", f"--model={run / 'model.keras'}", "--output=served")
    exported = python(*words, cwd=tmp_path)
    assert (exported.returncode, exported.stdout) == (0, "wrote served/1\n"), exported.stderr
    served = (tmp_path / "served" / "1" / "assets" / "vocabulary.txt").read_text().splitlines()
    assert served == json.loads((run / "vocabulary.json").read_text())["words"]
    assert len(served) == vocabulary
    page = (tmp_path / "served" / "1" / "assets.extra" / "model_card.md").read_text()
    assert f"| perplexity of the test text | {result['test_perplexity']:.2f} |" in page
    assert "| data set | text.txt |" in page


SMALLER = (
    *("--epochs=1", "--init_channels=8", "--batch_size=8", "--text_bptt=10", "--threads=1"),
    *("--network_epochs=1", "--network_init_channels=8", "--network_batch_size=8"),
)


@pytest.mark.parametrize("program", ["tune", "study"])
def test_the_networks_of_a_preset_are_trained_as_language_models_are(program):
    flags = ["--flagfile=ptb_small.flags", "--dataset=text_file:text.txt"]
    config = parse(flags, CONFIGS[program], "", presets=presets.folder(program))[0]
    right = parse(["--flagfile=ptb.flags"], TrainingConfig, "", presets=presets.folder("train"))[0]
    training = config.training_config()
    for name in ("momentum", "weight_decay", "grad_clip"):
        assert getattr(training, name) == getattr(right, name)
    text = (presets.folder(program) / "ptb_small.flags").read_text(encoding="utf-8")
    assert f"python -m trainers.{program} --flagfile=ptb_small.flags" in text
    assert "arXiv:1806.09055" in text


@pytest.mark.long
@pytest.mark.parametrize(
    ("program", "more", "outcome"),
    [
        ("tune", ["--trials=1"], "tuning.json"),
        ("study", ["--searches=1", "--trainings=1", "--stops=end"], "study.json"),
    ],
)
def test_the_preset_of_a_program_runs_on_a_text(program, more, outcome, seed, tmp_path):
    name = texts.write(tmp_path, seed, lines=200)
    words = ["--flagfile=ptb_small.flags", f"--dataset={name}", "--run_dir=run", *SMALLER, *more]
    ended = python("-m", f"trainers.{program}", *words, cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert "perplexity" in ended.stdout
    assert (tmp_path / "run" / outcome).exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("search --dataset=text_file:text.txt", "expected images for the space 'darts', got text"),
        ("search --dataset=digits --space=ptb", "expected text for the space 'ptb', got images"),
        ("search --dataset=text_file:none.txt --space=ptb", "got no file 'none.txt'"),
        ("search --dataset=text_file --space=ptb", "expected text_file:PATH, got 'text_file'"),
        ("train --dataset=digits --genotype=DARTS_PTB_V1", "expected text for the space 'ptb'"),
        ("train --dataset=text_file:text.txt --genotype=DARTS_V2", "expected images for the spac"),
        ("search --flagfile=ptb.flags", "got images: 'cifar10'; text_file:PATH reads a text"),
        ("train --flagfile=ptb.flags --genotype=DARTS_PTB_V2", "'cifar10'; text_file:PATH reads"),
        ("random_search --flagfile=ptb.flags", "--dataset: expected text for the space 'ptb'"),
        ("tune --space=ptb", "--dataset: expected text for the space 'ptb', got images"),
        ("tune --dataset=text_file:text.txt", "expected images for the space 'darts', got text"),
        ("tune --dataset=digits --space=ptb", "expected text for the space 'ptb', got images"),
        ("random_search --dataset=text_file:text.txt", "expected images for the space 'darts'"),
        ("random_search --dataset=digits --space=ptb", "expected text for the space 'ptb'"),
    ],
)
def test_what_does_not_go_together_is_told_before_tensorflow_is_imported(words, message, tmp_path):
    texts.write(tmp_path, seed=0)
    program, *flags = words.split()
    assert message in refused(f"trainers.{program}", *flags, cwd=tmp_path)
    assert not (tmp_path / "runs").exists()
