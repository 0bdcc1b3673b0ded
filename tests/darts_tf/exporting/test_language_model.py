"""Exports of a language model: each answers as `model.keras` does, and wrong words are errors."""

from __future__ import annotations

import json
import os
import secrets
import zipfile
from typing import NamedTuple

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf import zoo
from darts_tf.errors import UserError
from darts_tf.exporting.formats import export_lite, export_onnx
from darts_tf.exporting.saved_model import export_saved_model
from darts_tf.networks.recurrent import RecurrentNetwork, inference_language_model
from tests.processes import HIDE, finish, start

SIZE = 5
WORDS = ["<eos>", "a", "b", "c", "d\N{LATIN SMALL LETTER E WITH ACUTE}", '"', "<unk>"]
ROWS = [["<eos>", "a", '"', "c"], ["", "b", WORDS[4], ""], ["c", "", "c", "never"]]

_SERVE = """
import numpy as np
import tensorflow as tf
folder, requests = given
signatures = tf.saved_model.load(folder).signatures
answers = []
for name, inputs in requests:
    specs = signatures[name].structured_input_signature[1]
    inputs = {key: tf.constant(value, specs[key].dtype) for key, value in inputs.items()}
    answer = {key: value.numpy() for key, value in signatures[name](**inputs).items()}
    if "label" in answer:
        answer["label"] = np.array([word.decode() for word in answer["label"]])
    answers.append({key: value.tolist() for key, value in answer.items()})
print(json.dumps(answers))
"""


class Served(NamedTuple):
    """A language model, and its SavedModel."""

    model: keras.Model
    folder: str


def language_model(seed, vocabulary=7, size=SIZE):
    rng = np.random.default_rng(seed)
    net = RecurrentNetwork(zoo.get("DARTS_PTB_V2"), vocabulary, size, rows=1)
    net.build()
    for variable in net.trainable_variables:
        variable.assign(rng.normal(size=variable.shape))
    return inference_language_model(net)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    model = language_model(int(os.environ.get("DARTS_TF_TEST_SEED") or secrets.randbelow(2**31)))
    folder = export_saved_model(model, tmp_path_factory.mktemp("served") / "lm", labels=WORDS)
    return Served(model, str(folder))


@pytest.fixture(scope="module")
def signatures(served):
    loaded = tf.saved_model.load(served.folder)
    yield loaded.signatures
    del loaded


def read(model, row, state=None):
    """A row word by word, by the model alone: last scores and state, and the row's perplexity."""
    words = [WORDS.index(word if word in WORDS else "<unk>") for word in row if word]
    state = np.zeros((1, SIZE), np.float32) if state is None else state[None]
    scores, losses = None, []
    for word in words:
        if scores is not None:
            losses.append(-np.log(float(scores[0, word])))
        scores, state = map(np.asarray, model([np.array([word]), state]))
    return scores[0], state[0], np.exp(np.mean(losses or [0.0]))


def check(answer, model, rows, states=None):
    right = [read(model, row, states and np.float32(states[i])) for i, row in enumerate(rows)]
    for key, values in zip(
        ("scores", "next_state", "perplexity"), zip(*right, strict=True), strict=True
    ):
        np.testing.assert_allclose(answer[key], np.stack(values), rtol=2e-5, atol=1e-6)
    assert answer["label"] == [WORDS[number] for number in np.argmax(answer["scores"], 1)]


def test_it_answers_like_the_model_without_keras_and_goes_on_where_it_was(served, seed):
    states = np.random.default_rng(seed).normal(size=(3, SIZE)).astype("float32").tolist()
    ids = [5, 0, 6]
    requests = [
        ("serving_default", {"words": ROWS}),
        ("serving_continue", {"words": ROWS, "state": states}),
        ("serving_default", {"words": [[*row, ""] for row in ROWS[1:]]}),
        ("serving_default", {"words": [["a"]]}),
        ("serving_ids", {"word": ids, "state": states}),
    ]
    [text] = finish(start(HIDE + _SERVE, served.folder, requests))
    begun, continued, filled, one, by_ids = json.loads(text)
    check(begun, served.model, ROWS)
    check(continued, served.model, ROWS, states)
    check(filled, served.model, ROWS[1:])
    check(one, served.model, [["a"]])
    assert one["perplexity"] == [1]
    scores, after = map(np.asarray, served.model([np.array(ids), np.float32(states)]))
    np.testing.assert_allclose(by_ids["scores"], scores, rtol=2e-5, atol=1e-6)
    np.testing.assert_allclose(by_ids["next_state"], after, rtol=2e-5, atol=1e-6)
    halves = [read(served.model, ROWS[0][:2]), read(served.model, ROWS[0])]
    again = read(served.model, ROWS[0][2:], halves[0][1])
    np.testing.assert_allclose(again[0], halves[1][0], rtol=2e-5)


def test_a_word_that_is_not_known_is_an_error_where_there_is_none_for_it(seed, tmp_path):
    model, words = language_model(seed), [*WORDS[:-1], "z"]
    loaded = tf.saved_model.load(str(export_saved_model(model, tmp_path / "lm", labels=words)))
    ask = loaded.signatures["serving_default"]
    assert np.isfinite(ask(words=tf.constant([["a", "z", ""]]))["scores"]).all()
    with pytest.raises(tf.errors.InvalidArgumentError, match="expected words of the vocabulary"):
        ask(words=tf.constant([["a", "z"], ["a", "never"]]))


@pytest.mark.parametrize(
    ("name", "inputs", "told"),
    [
        ("serving_default", {"words": [["", ""], ["a", ""]]}, "a word in each row"),
        ("serving_default", {"words": [[], []]}, "a word in each row"),
        ("serving_default", {"words": ["a", "b"]}, "words.*expected shape"),
        ("serving_default", {"words": [[["a"]]]}, "words.*expected shape"),
        ("serving_continue", {"words": [["a"]], "state": np.zeros((1, SIZE + 1))}, "state.*shape"),
        ("serving_continue", {"words": [["a"]], "state": np.full((1, SIZE), np.nan)}, "finite"),
        ("serving_continue", {"words": [["a"]], "state": np.zeros((2, SIZE))}, "ConcatOp"),
        ("serving_ids", {"word": [-1], "state": np.zeros((1, SIZE))}, "numbers from 0 to 6"),
        ("serving_ids", {"word": [7], "state": np.zeros((1, SIZE))}, "numbers from 0 to 6"),
        ("serving_ids", {"word": [[1]], "state": np.zeros((1, SIZE))}, "word.*expected shape"),
        ("serving_ids", {"word": [1, 2], "state": np.zeros((1, SIZE))}, "ConcatOp"),
    ],
)
def test_a_wrong_request_is_an_error(name, inputs, told, signatures):
    specs = signatures[name].structured_input_signature[1]
    given = {key: tf.constant(value, specs[key].dtype) for key, value in inputs.items()}
    with pytest.raises(tf.errors.InvalidArgumentError, match=told):
        signatures[name](**given)


def test_a_batch_of_no_texts_is_answered_with_none(signatures):
    answer = signatures["serving_default"](words=tf.zeros((0, 3), tf.string))
    shapes = {key: value.shape.as_list() for key, value in answer.items()}
    scores, state = [0, len(WORDS)], [0, SIZE]
    right = {"scores": scores, "next_state": state, "label": [0], "perplexity": [0]}
    assert shapes == right


def test_the_signatures_share_one_copy_of_the_weights_and_warm_up_requests_are_answered(
    seed, tmp_path
):
    from tensorflow_serving.apis import prediction_log_pb2

    model = language_model(seed, vocabulary=2000, size=100)
    folder = export_saved_model(model, tmp_path / "lm")
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    weights = sum(weight.numpy().nbytes for weight in model.weights)
    assert weights < size < 1.3 * weights
    signatures = tf.saved_model.load(str(folder)).signatures
    asked = set()
    requests = tf.data.TFRecordDataset(str(folder / "assets.extra" / "tf_serving_warmup_requests"))
    for record in requests:
        log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
        request = log.predict_log.request
        name = request.model_spec.signature_name
        given = {key: tf.constant(tf.make_ndarray(proto)) for key, proto in request.inputs.items()}
        answer = signatures[name](**given)
        asked.add((name, int(answer["scores"].shape[0])))
    names = ("serving_default", "serving_continue", "serving_ids")
    assert asked == {(name, size) for name in names for size in (1, 2, 4, 8, 16, 32)}


def test_the_card_tells_of_words_and_perplexities(seed, tmp_path):
    result = {
        "dataset": "text_file:/home/somebody/book.txt",
        "test_perplexity": 98.765,
        "epochs": 3,
    }
    model = language_model(seed)
    folder = export_saved_model(model, tmp_path / "lm", labels=WORDS, result=result)
    card = json.loads((folder / "assets.extra" / "model_card.json").read_text())
    told = {key: card[key] for key in ("dataset", "words", "size", "test_perplexity", "parameters")}
    assert told == {
        "dataset": "book.txt",
        "words": 7,
        "size": SIZE,
        "test_perplexity": 98.765,
        "parameters": model.count_params(),
    }
    page = (folder / "assets.extra" / "model_card.md").read_text()
    assert "| perplexity of the test text | 98.77 |" in page
    assert "image" not in page


@pytest.fixture(scope="module")
def files(served, tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    return {
        "lite": str(export_lite(served.model, folder / "a.tflite", WORDS)),
        "onnx": str(export_onnx(served.model, folder / "a.onnx", WORDS)),
    }


def lite_answer(path, word, state):
    from ai_edge_litert.interpreter import Interpreter

    return Interpreter(path).get_signature_runner("serving_default")(word=word, state=state)


def onnx_answer(path, word, state):
    import onnxruntime

    session = onnxruntime.InferenceSession(path)
    names = [output.name for output in session.get_outputs()]
    assert set(names) == {"scores", "next_state"}
    return dict(zip(names, session.run(names, {"word": word, "state": state}), strict=True))


ASK = {"lite": lite_answer, "onnx": onnx_answer}


@pytest.mark.parametrize("kind", ASK)
def test_one_file_answers_like_the_model_word_by_word(kind, served, files, seed):
    rng = np.random.default_rng(seed)
    for batch in (1, 4):
        state = mine = np.zeros((batch, SIZE), np.float32)
        for _ in range(3):
            word = rng.integers(0, len(WORDS), batch).astype(np.int32)
            scores, state = map(np.asarray, served.model([word, state]))
            answer = ASK[kind](files[kind], word, mine)
            mine = answer["next_state"]
            np.testing.assert_allclose(answer["scores"], scores, rtol=0, atol=1e-5)
            np.testing.assert_allclose(mine, state, rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", ASK)
@pytest.mark.parametrize(
    ("word", "shape"),
    [
        ([len(WORDS)], (1, SIZE)),
        ([0], (1, SIZE + 1)),
        ([0, 1], (1, SIZE)),
        ([0], (2, SIZE)),
        ([[0]], (1, SIZE)),
        ([0], (SIZE,)),
    ],
)
def test_one_file_refuses_wrong_numbers_and_shapes(kind, word, shape, files):
    with pytest.raises(Exception, match=r"(?i)invalid|fail|dims|index|expected|mismatch"):
        ASK[kind](files[kind], np.array(word, np.int32), np.zeros(shape, np.float32))


def test_one_file_carries_the_words(files):
    import onnx

    with zipfile.ZipFile(files["lite"]) as archive:
        assert archive.read("vocabulary.txt").decode().splitlines() == WORDS
    written = onnx.load(files["onnx"])
    onnx.checker.check_model(written, full_check=True)
    facts = {entry.key: json.loads(entry.value) for entry in written.metadata_props}
    assert facts == {"words": WORDS, "state_size": SIZE}


@pytest.mark.parametrize("kind", ASK)
def test_equal_models_are_equal_bytes(kind, served, files, tmp_path):
    write, suffix = {"lite": (export_lite, "tflite"), "onnx": (export_onnx, "onnx")}[kind]
    path = write(served.model, tmp_path / f"b.{suffix}", WORDS)
    with open(files[kind], "rb") as file:
        assert path.read_bytes() == file.read()


@pytest.mark.parametrize("write", [export_saved_model, export_lite, export_onnx])
def test_a_vocabulary_that_will_not_do_is_refused(write, served, tmp_path):
    name = tmp_path / {"export_lite": "a.tflite", "export_onnx": "a.onnx"}.get(write.__name__, "lm")
    with pytest.raises(UserError, match="labels: expected each word once, got 'a' twice"):
        write(served.model, name, labels=[*WORDS[:-1], "a"])
    with pytest.raises(UserError, match="labels: expected 7, one for each class, got 6"):
        write(served.model, name, labels=WORDS[:-1])
    assert not any(tmp_path.iterdir())
