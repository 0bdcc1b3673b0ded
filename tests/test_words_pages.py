"""What docs/serving.md and docs/formats.md say of language models: their Python, run."""

from __future__ import annotations

import re
from pathlib import Path

import keras
import numpy as np
import pytest

import darts_tf
from darts_tf import zoo
from darts_tf.networks.recurrent import RecurrentNetwork, inference_language_model

DOCS = Path(__file__).resolve().parents[1] / "docs"
WORDS = ["the", "cat", "<eos>", "sees", "a", "dog", "<unk>"]

pytestmark = pytest.mark.skipif(not DOCS.exists(), reason="there is no tree here")


def scripts(page):
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    [section] = re.findall(r"^## Language models\n(.*?)(?:^## |\Z)", text, re.DOTALL | re.MULTILINE)
    return re.findall(r"^```python\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)


def text_after(model: keras.Model, *beginning: str) -> str:
    """The five most probable words after a beginning, one after the other, by the model alone."""
    state, text = np.zeros((1, 6), np.float32), list(beginning)
    for number in range(len(beginning) + 4):
        word = WORDS.index(text[number])
        scores, state = map(np.asarray, model([np.array([word]), state]))
        if number >= len(beginning) - 1:
            text.append(WORDS[int(scores.argmax())])
    return " ".join(text[len(beginning) :])


def test_every_runtime_writes_what_the_model_writes(seed, tmp_path, monkeypatch, capsys):
    net = RecurrentNetwork(zoo.get("DARTS_PTB_V1"), len(WORDS), 6, rows=1)
    net.build()
    rng = np.random.default_rng(seed)
    for variable in net.trainable_variables:
        variable.assign(2 * rng.normal(size=variable.shape))
    model = inference_language_model(net)
    darts_tf.export_saved_model(model, tmp_path / "serving" / "words", labels=WORDS)
    darts_tf.export_lite(model, tmp_path / "words.tflite", WORDS)
    darts_tf.export_onnx(model, tmp_path / "words.onnx", WORDS)
    monkeypatch.chdir(tmp_path)

    def printed(script):
        capsys.readouterr()
        exec(script, {})
        return capsys.readouterr().out.strip()

    [served], (lite, onnx) = scripts("serving"), scripts("formats")
    assert printed(served) == text_after(model, "<eos>", "the", "cat")
    assert printed(lite) == printed(onnx) == text_after(model, "<eos>")
