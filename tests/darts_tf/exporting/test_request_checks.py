"""Requests of any kind: each gets an error or one answer an image, and the process lives."""

import json

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.exporting.formats import export_lite, export_onnx
from darts_tf.exporting.request_checks import of_equal_sizes
from darts_tf.exporting.saved_model import export_saved_model
from darts_tf.networks.network import build_network, inference_network
from darts_tf.networks.spec import NetworkSpec
from tests.every_operation import FEW
from tests.processes import finish, start

WRONG = [
    (1, 16, 16, 3),
    (1, 24, 24, 3),
    (1, 8, 16, 3),
    (1, 4, 16, 3),
    (1, 16, 4, 3),
    (1, 8, 8, 1),
    (1, 8, 8, 4),
    (1, 9, 8, 3),
    (1, 1, 1, 3),
    (1, 1, 8, 8, 3),
    (2, 1, 8, 8, 3),
    (1, 192),
    (8, 8, 3),
    (3,),
    (),
    (0, 8, 8, 1),
    (1, 0, 8, 3),
]

# Draws requests that are right, nearly right, and nonsense; what else they are is the test's.
_DRAW = """
import numpy as np
rng = np.random.default_rng(given[1])
def drawn_shape(right):
    shape = [int(rng.integers(0, 5)), *right]
    for _ in range(rng.choice([0, 1, 1, 2, 5])):
        place = int(rng.integers(0, len(shape) + 1))
        kind = rng.integers(0, 3)
        if kind == 0:
            shape.insert(place, int(rng.choice([0, 1, 2, 3, 8, 16])))
        elif kind == 1 and place < len(shape):
            shape[place] = int(rng.choice([0, 1, 2, 3, 4, 7, 8, 16]))
        elif place < len(shape):
            del shape[place]
    return shape[:6]
"""

_FUZZ = (
    _DRAW
    + """
import tensorflow as tf
dtypes = ("float32",) * 6 + ("float64", "float16", "uint8", "int32", "bool", "complex64", "string")
pngs = [tf.io.encode_png(np.full((n, n + 2, 3), n, np.uint8)).numpy() for n in (3, 8)]
def ways():
    loaded = tf.saved_model.load(given[0])
    graph = tf.Graph()
    with graph.as_default():
        session = tf.compat.v1.Session()
        served = tf.compat.v1.saved_model.load(session, ["serve"], given[0]).signature_def
    def by_signature(name, value):
        argument = {"serving_default": "pixels", "serving_bytes": "image_bytes"}[name]
        return loaded.signatures[name](**{argument: tf.constant(value)})
    def by_session(name, value):
        # As TensorFlow Serving does, which compares dtypes alone.
        [given], outputs = served[name].inputs.values(), served[name].outputs
        if tf.as_dtype(value.dtype) != tf.as_dtype(given.dtype):
            raise ValueError("dtype")
        return session.run({key: out.name for key, out in outputs.items()}, {given.name: value})
    return by_signature, by_session
def tally(requests):
    asked, answered, refused = ways(), 0, 0
    for number in range(requests):
        name = str(rng.choice(["serving_default"] * 3 + ["serving_bytes"]))
        shape = drawn_shape([8, 8, 3] if name == "serving_default" else [])
        dtype = str(rng.choice(dtypes)) if name == "serving_default" else "string"
        size = np.prod(shape, dtype=int)
        if dtype == "string":
            files = [pngs[0], pngs[1], pngs[1][:-20], b"", b"junk", rng.bytes(30)]
            value = np.array([files[i] for i in rng.choice(6, size, p=PS)], object)
        else:
            value = rng.integers(0, 256, size).astype(dtype)
            if rng.integers(0, 8) == 0 and value.size and dtype == "float32":
                value[rng.integers(value.size)] = rng.choice([np.nan, np.inf, -np.inf])
        value = value.reshape(shape)
        try:
            answer = asked[number % 2](name, value)
        except (tf.errors.InvalidArgumentError, ValueError, TypeError) as error:
            refused += 1
            continue
        answered += 1
        rank = 4 if name == "serving_default" else 1
        assert value.ndim == rank and list(shape[1:]) == [8, 8, 3][: rank - 1], (name, shape)
        scores = np.asarray(answer["scores"])
        assert scores.shape == (shape[0], 4) and np.isfinite(scores).all()
        assert np.asarray(answer["label"]).shape == (shape[0],)
        assert np.asarray(answer["classes"]).shape == (shape[0], 4)
    return answered, refused
plain = tally(500)
# What strips a graph of its checks.
tf.config.optimizer.set_experimental_options({"debug_stripper": True})
print(json.dumps([plain, tally(500)]))
""".replace("PS", "[.45, .45, .025, .025, .025, .025]")
)


@pytest.fixture(scope="module")
def model():
    spec = NetworkSpec(FEW, (8, 8, 3), classes=4, layers=3, init_channels=4)
    return inference_network(build_network(spec), spec, (0.5,) * 3, (0.25,) * 3)


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory):
    return str(export_saved_model(model, tmp_path_factory.mktemp("served")))


@pytest.fixture(scope="module")
def signatures(folder):
    loaded = tf.saved_model.load(folder)
    yield loaded.signatures
    del loaded


@pytest.mark.parametrize("shape", WRONG, ids=str)
def test_pixels_of_another_shape_are_refused_by_the_graph(signatures, shape):
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"pixels.*expected shape \[\?,8,8,3"):
        signatures["serving_default"](pixels=tf.zeros(shape))


@pytest.mark.parametrize("shape", [(), (1, 1), (0, 1), (2, 0, 3)], ids=str)
def test_encoded_images_in_another_shape_than_a_list_are_refused(signatures, shape):
    png = tf.io.encode_png(np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"image_bytes.*expected shape \[\?\]"):
        signatures["serving_bytes"](image_bytes=tf.fill(shape, png))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_pixel_that_is_no_finite_number_is_refused(signatures, value):
    pixels = np.zeros((2, 8, 8, 3), np.float32)
    pixels[1, 7, 7, 2] = value
    with pytest.raises(tf.errors.InvalidArgumentError, match="pixels: expected finite numbers"):
        signatures["serving_default"](pixels=tf.constant(pixels))


def test_a_batch_of_no_images_is_answered_with_none(signatures):
    for name, value in (("pixels", tf.zeros((0, 8, 8, 3))), ("image_bytes", tf.zeros(0, "string"))):
        signature = signatures["serving_default" if name == "pixels" else "serving_bytes"]
        found = {key: part.shape.as_list() for key, part in signature(**{name: value}).items()}
        assert found == {"scores": [0, 4], "classes": [0, 4], "label": [0]}


def test_a_thousand_requests_get_an_error_or_one_answer_an_image_and_the_process_lives(
    folder, seed
):
    [text] = finish(start(_FUZZ, folder, seed))
    for answered, refused in json.loads(text):
        assert answered + refused == 500
        assert min(answered, refused) > 50


def test_joining_a_black_image_changes_no_pixel(seed):
    pixels = np.random.default_rng(seed).random((3, 4, 5, 1)).astype(np.float32)
    for batch in (pixels, pixels[:0]):
        np.testing.assert_array_equal(of_equal_sizes(tf.constant(batch), (4, 5, 1)), batch)


@pytest.fixture(scope="module")
def lite_file(model, tmp_path_factory):
    return str(export_lite(model, tmp_path_factory.mktemp("lite") / "network.tflite"))


@pytest.mark.parametrize("delegate", [True, False])
def test_lite_refuses_images_of_another_shape(lite_file, delegate):
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    kinds = OpResolverType.AUTO, OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    kind = kinds[0] if delegate else kinds[1]
    for shape in WRONG:
        interpreter = Interpreter(lite_file, experimental_op_resolver_type=kind)
        with pytest.raises((RuntimeError, ValueError)):
            interpreter.get_signature_runner()(pixels=np.zeros(shape, np.float32))
    interpreter = Interpreter(lite_file, experimental_op_resolver_type=kind)
    for batch in (2, 1, 5):
        answer = interpreter.get_signature_runner()(pixels=np.zeros((batch, 8, 8, 3), np.float32))
        assert answer["scores"].shape == (batch, 4)


def test_onnx_refuses_images_of_another_shape_and_answers_a_batch_of_none(model, tmp_path):
    import onnxruntime

    session = onnxruntime.InferenceSession(export_onnx(model, tmp_path / "network.onnx"))
    for shape in WRONG:
        with pytest.raises(Exception, match="INVALID_ARGUMENT"):
            session.run(["scores"], {"pixels": np.zeros(shape, np.float32)})
    for batch in (2, 0):
        [scores] = session.run(["scores"], {"pixels": np.zeros((batch, 8, 8, 3), np.float32)})
        assert scores.shape == (batch, 4)
