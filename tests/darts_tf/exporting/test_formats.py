"""One file for LiteRT and one for ONNX: they answer like the SavedModel, at any batch size."""

import functools
import json
import os
import secrets
import stat
import zipfile
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf import extras
from darts_tf.errors import UserError
from darts_tf.exporting import formats
from darts_tf.exporting.saved_model import export_saved_model
from tests import every_operation

LABELS = ["cat", "dog", "frog", "fish", "a fly"]
WRITERS = {".tflite": formats.export_lite, ".onnx": formats.export_onnx}


def lite_scores(path, pixels):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path))
    [given], [answer] = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.resize_tensor_input(given["index"], pixels.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(given["index"], pixels)
    interpreter.invoke()
    return interpreter.get_tensor(answer["index"])


def onnx_scores(path, pixels):
    import onnxruntime

    [scores] = onnxruntime.InferenceSession(path).run(["scores"], {"pixels": pixels})
    return scores


SCORES = {".tflite": lite_scores, ".onnx": onnx_scores}


@pytest.fixture
def tiny():
    image = keras.Input((2, 2, 1))
    return keras.Model(
        image, keras.layers.Dense(3, activation="softmax")(keras.layers.Flatten()(image))
    )


@pytest.fixture(params=WRITERS)
def suffix(request):
    return request.param


class Exported(NamedTuple):
    """A network and its files."""

    model: keras.Model
    files: dict[str, Path]


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Exports a network of `every_operation` when it is first asked for."""
    seed = int(os.environ.get("DARTS_TF_TEST_SEED") or secrets.randbelow(2**31))

    @functools.cache
    def export(name):
        model, folder = every_operation.network(name, seed), tmp_path_factory.mktemp(name)
        files = {suffix: write(model, folder / f"a{suffix}") for suffix, write in WRITERS.items()}
        return Exported(model, files)

    return export


@pytest.mark.parametrize("name", every_operation.SETTINGS)
def test_both_answer_like_the_saved_model(name, exported, seed, tmp_path):
    model, files = exported(name)
    served = tf.saved_model.load(str(export_saved_model(model, tmp_path / "served")))
    for batch in (1, 5, 2):
        pixels = every_operation.images(model, batch, seed)
        right = served.signatures["serving_default"](pixels=tf.constant(pixels))["scores"]
        assert np.ptp(right, axis=1).max() > 0.01
        for suffix, path in files.items():
            np.testing.assert_allclose(SCORES[suffix](path, pixels), right, rtol=0, atol=1e-5)


def test_lite_carries_the_class_names_and_a_signature(tiny, tmp_path):
    names = ["a b", "c\nd", "é"]
    path = formats.export_lite(tiny, tmp_path / "network.tflite", names)
    with zipfile.ZipFile(path) as archive:
        assert archive.read("labels.txt").decode().splitlines() == ["a b", "c d", "é"]
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(str(path)).get_signature_runner("serving_default")
    image = np.ones((1, 2, 2, 1), np.float32)
    np.testing.assert_allclose(runner(pixels=image)["scores"], tiny(image), atol=1e-6)


def test_onnx_is_valid_and_carries_the_facts(tiny, tmp_path):
    import onnx

    path = formats.export_onnx(tiny, tmp_path / "network.onnx", LABELS[:3])
    written = onnx.load(path)
    onnx.checker.check_model(written, full_check=True)
    facts = {entry.key: json.loads(entry.value) for entry in written.metadata_props}
    assert facts == {"classes": LABELS[:3], "image_shape": [2, 2, 1]}
    [taken] = written.graph.input
    dims = [dim.dim_param or dim.dim_value for dim in taken.type.tensor_type.shape.dim]
    assert (taken.name, dims) == ("pixels", ["batch", 2, 2, 1])


def test_convolutions_stay_convolutions(exported):
    import onnx

    model, files = exported("even")
    kinds = [node.op_type for node in onnx.load(files[".onnx"]).graph.node]
    convolutions = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)
    found = [layer for layer in model.layers if isinstance(layer, convolutions)]
    # TensorFlow on CPUs has one convolution for each group of channels.
    grouped = {layer.name: layer.groups for layer in found if "1x3_3x1" in layer.name}
    assert kinds.count("Conv") == sum(grouped.get(layer.name, 1) for layer in found)
    assert kinds.count("MatMul") == 1


def test_images_are_transposed_once_where_no_convolution_has_groups(exported):
    import onnx

    kinds = [node.op_type for node in onnx.load(exported("sparse").files[".onnx"]).graph.node]
    assert kinds.count("Transpose") == 1


def test_equal_networks_are_equal_bytes(exported, suffix, tmp_path):
    model, files = exported("even")
    again = WRITERS[suffix](model, tmp_path / f"b{suffix}")
    assert again.read_bytes() == files[suffix].read_bytes()


def test_folders_are_made_and_others_may_read_the_file(tiny, suffix, tmp_path):
    path = WRITERS[suffix](tiny, str(tmp_path / "new" / "folder" / f"network{suffix}"))
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    (tmp_path / "plain").touch()
    assert stat.S_IMODE(os.stat(path).st_mode) == stat.S_IMODE(os.stat(tmp_path / "plain").st_mode)
    content = path.read_bytes()
    with pytest.raises(UserError, match="exists; expected the name of a new file"):
        WRITERS[suffix](tiny, path)
    assert path.read_bytes() == content


def test_labels_must_be_as_many_as_the_classes(tiny, suffix, tmp_path):
    with pytest.raises(UserError, match="labels: expected 3, one for each class, got 5"):
        WRITERS[suffix](tiny, tmp_path / f"network{suffix}", LABELS)
    assert not any(tmp_path.iterdir())


def test_without_the_packages_onnx_says_what_to_install(tiny, monkeypatch, tmp_path):
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r'onnx and tf2onnx, .*"darts_tf\[onnx\]"'):
        formats.export_onnx(tiny, tmp_path / "network.onnx")
