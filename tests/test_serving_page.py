"""The words of docs/serving.md, run: TensorFlow Serving is a small server here, curl a script."""

import base64
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.exporting.saved_model import export_saved_model

pytest.importorskip("benchmarks")  # not in the wheel

from benchmarks.prediction.clients import predict_request
from benchmarks.prediction.server import PredictionService, serve

TREE = Path(__file__).resolve().parents[1]
PAGE = (TREE / "docs" / "serving.md").read_text(encoding="utf-8")
# The section on language models has a test of its own, tests/test_words_pages.py.
PAGE = re.sub(r"^## Language models\n.*?^(?=## )", "", PAGE, flags=re.DOTALL | re.MULTILINE)
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
COMMANDS = [
    line
    for kind, text in BLOCKS
    if not kind
    for line in re.sub(r"(\\|(?<=\|))\n +", " ", text).splitlines()
]
SCRIPTS = [text for kind, text in BLOCKS if kind == "python"]
# Keeps what it is given.
CURL = '#!/bin/sh\nprintf "%s\\n" "$@" > words\ncat > body\n'


class Served:
    """An export of the page's name in a folder of its own, and a file to ask it about."""

    def __init__(self, folder):
        self.folder = folder
        images = keras.Input((8, 8, 1))
        scores = keras.layers.Dense(10, activation="softmax")(keras.layers.Flatten()(images))
        export_saved_model(keras.Model(images, scores), folder / "serving" / "digits")
        pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 1), np.uint8)
        self.pixels = pixels.astype(np.float32)
        (folder / "image.png").write_bytes(tf.io.encode_png(pixels).numpy())
        self.service = PredictionService(folder / "serving" / "digits")


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    return Served(tmp_path_factory.mktemp("page"))


def command(start):
    [found] = [line for line in COMMANDS if line.startswith(start)]
    return found


def rest_request(url, body):
    """What a REST server makes of a body: a message with the one input of the signature."""
    asked = json.loads(body)
    name = re.fullmatch(r"http://localhost:8501/v1/models/(\w+):predict", url)[1]
    signature = asked.get("signature_name", "serving_default")
    if signature == "serving_bytes":
        files = [base64.b64decode(each["b64"], validate=True) for each in asked["instances"]]
        return predict_request(name, signature, image_bytes=files)
    return predict_request(name, signature, pixels=np.array(asked["instances"], np.float32))


def test_every_command_is_known():
    known = ("python -m ", "saved_model_cli ", "docker run ", "printf ", "curl ", "sha256sum ")
    assert all(line.startswith(known) for line in COMMANDS)


def test_the_bodies_that_curl_sends_are_requests_that_are_answered(served, tmp_path, monkeypatch):
    for name in ("curl", "python3"):
        script = CURL if name == "curl" else f'#!/bin/sh\nexec {sys.executable} "$@"\n'
        (tmp_path / name).write_text(script)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    answers = []
    for line in (line for line in COMMANDS if "curl --data" in line):
        subprocess.run(["sh", "-c", line], cwd=served.folder, check=True)
        *options, url = (served.folder / "words").read_text().split()
        assert options == ["--data", "@-"]
        request = rest_request(url, (served.folder / "body").read_text())
        answer = served.service.Predict(request, None)
        answers.append(tf.make_ndarray(answer.outputs["scores"]))
    signature = tf.saved_model.load(served.folder / "serving" / "digits" / "1").signatures
    black = np.zeros_like(served.pixels)
    for found, pixels in zip(answers, (served.pixels, black), strict=True):
        right = signature["serving_default"](pixels=tf.constant(pixels[None]))["scores"]
        np.testing.assert_allclose(found, right, rtol=0, atol=1e-6)


def test_docker_mounts_the_folder_of_the_model_and_names_a_file_in_it(served):
    words = shlex.split(command("docker run"))
    image = words.index("tensorflow/serving")
    options, flags = words[2:image], dict(word.split("=") for word in words[image + 1 :])
    mount = dict(
        part.partition("=")[::2] for part in options[options.index("--mount") + 1].split(",")
    )
    name = options[options.index("--env") + 1].removeprefix("MODEL_NAME=")
    assert mount["target"] == f"/models/{name}"
    source = Path(mount["source"].replace("$PWD", str(served.folder)))
    file = Path(flags["--batching_parameters_file"]).relative_to(mount["target"])
    assert "max_batch_size" in (source / file).read_text()
    assert flags["--enable_batching"] == "true"
    ports = [options[i + 1] for i, word in enumerate(options) if word == "--publish"]
    assert ports == ["8500:8500", "8501:8501"]


@pytest.mark.parametrize("script", SCRIPTS, ids=["saved_model", "grpc"])
def test_a_script_prints_what_the_model_says(served, script, monkeypatch, capsys):
    monkeypatch.chdir(served.folder)
    server, port = serve(served.folder / "serving" / "digits")
    try:
        exec(script.replace("localhost:8500", f"127.0.0.1:{port}"), {})
    finally:
        server.stop(None).wait()
    request = predict_request("digits", "serving_default", pixels=served.pixels[None])
    [label] = tf.make_ndarray(served.service.Predict(request, None).outputs["label"])
    assert f"{label}" in capsys.readouterr().out


def test_saved_model_cli_shows_what_the_page_shows(served):
    module = "tensorflow.python.tools.saved_model_cli"
    words = shlex.split(command("saved_model_cli"))[1:]
    ended = subprocess.run(
        [sys.executable, "-m", module, *words],
        cwd=served.folder,
        capture_output=True,
        text=True,
        check=True,
    )
    [shown] = [text for kind, text in BLOCKS if kind == "text"]
    assert ended.stdout.split() == shown.split()
