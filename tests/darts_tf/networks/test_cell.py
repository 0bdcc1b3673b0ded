"""Cells of any space: nodes of any number of edges, and operations registered from outside."""

import json
import zipfile

import keras
import numpy as np
import pytest

from darts_tf import spaces
from darts_tf.errors import UserError
from darts_tf.layers.drop_path import DropPath
from darts_tf.networks.blocks import Blocks
from darts_tf.networks.cell import add_cell
from darts_tf.networks.model_file import load_model, save_model
from darts_tf.networks.network import build_network, inference_network
from darts_tf.networks.spec import NetworkSpec
from darts_tf.spaces import operations
from darts_tf.spaces.genotype import Genotype
from darts_tf.spaces.operations import Operation
from darts_tf.spaces.search_space import SearchSpace
from darts_tf.spaces.space import Edge, Place, Space
from tests.oracles import images as twins
from tests.oracles.tape import Var

SHAPE = (8, 10, 3)
MEAN, DEVIATION = (0.5, 0.4, 0.3), (0.2, 0.25, 0.3)


def gate(blocks, x, relu, channels, stride, name):
    """An operation of stock layers that the library does not have: a 3x3 convolution, gated."""
    value = blocks.conv(relu, channels, 3, f"{name}_value", strides=stride)
    gates = blocks.conv(x, channels, 3, f"{name}_gate", strides=stride)
    gates = keras.layers.Activation("sigmoid", dtype=blocks.dtype, name=f"{name}_sigmoid")(gates)
    return keras.layers.Multiply(dtype=blocks.dtype, name=name)([value, gates])


class Chain(Space):
    """Cells of one input and one edge, without reductions."""

    name = "chain"
    cells = ("cell",)
    inputs = 1

    def edges(self, cell):
        return (Edge(0, 1, ("none", "skip_connect", "gate")),)

    def macro(self, layers):
        return (Place("cell", False, 1),) * layers


THREE = SearchSpace(
    ("none", "skip_connect", "avg_pool_3x3", "gate"), nodes=2, inputs_per_node=3, name="three"
)


@pytest.fixture(autouse=True)
def _plugs(monkeypatch):
    """An operation and two spaces from outside, known during a test."""
    for registry in (operations._OPERATIONS, spaces._SPACES):
        monkeypatch.setattr(registry, "_registered", dict(registry._registered))
    operations.register(Operation("gate", family="gate", learnable=True, block=gate))
    spaces.register(THREE)
    spaces.register(Chain)


def three_inputs():
    cell = [
        ("skip_connect", 0, 2),
        ("gate", 1, 2),
        ("gate", 0, 3),
        ("avg_pool_3x3", 1, 3),
        ("skip_connect", 2, 3),
    ]
    genotype = Genotype(
        space="three", normal=cell, normal_concat=(2, 3), reduce=cell, reduce_concat=(2, 3)
    )
    THREE.check(genotype)
    return genotype


def nodes_of(cell, reduction=False, inputs=2, output=None):
    """The nodes of a cell of four channels as a model of its inputs."""
    last = max(node for *_, node in cell)
    output = output or tuple(range(inputs, last + 1))
    genotype = Genotype(space="free", inputs=inputs, cell=cell, cell_concat=output)
    x = [keras.Input((8, 10, 4), dtype="float64") for _ in range(inputs)]
    place = Place("cell", reduction, 1)
    return keras.Model(x, add_cell(Blocks("float64"), x, genotype, place, 4, "cell"))


def random_inputs(seed, count):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(2, 8, 10, 4)) for _ in range(count)]


def test_a_node_is_the_sum_of_any_number_of_edges(seed):
    x, y = random_inputs(seed, 2)
    model = nodes_of(
        [
            ("avg_pool_3x3", 1, 2),
            ("skip_connect", 0, 3),
            ("avg_pool_3x3", 1, 3),
            ("skip_connect", 2, 3),
            ("none", 1, 3),
            ("none", 0, 4),
            ("skip_connect", 3, 5),
        ]
    )
    pooled = twins.avg_pool(Var(y), 1).value
    third = x + 2 * pooled
    expected = [pooled, third, np.zeros_like(x), third]
    for node, right in zip(model([x, y]), expected, strict=True):
        np.testing.assert_allclose(node, right, rtol=0, atol=1e-12)
    assert "cell_node_2" not in {layer.name for layer in model.layers}  # one edge, no sum


def test_edges_from_inputs_alone_halve_the_image_of_a_reduction_cell(seed):
    x, y = random_inputs(seed, 2)
    cell = [("max_pool_3x3", 0, 2), ("max_pool_3x3", 1, 2), ("avg_pool_3x3", 2, 3), ("none", 0, 4)]
    second, third, fourth = nodes_of(cell, reduction=True)([x, y])
    sum_of_pools = twins.max_pool(Var(x), 2).value + twins.max_pool(Var(y), 2).value
    np.testing.assert_allclose(second, sum_of_pools, rtol=0, atol=1e-12)
    right = twins.avg_pool(Var(sum_of_pools), 1).value
    np.testing.assert_allclose(third, right, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(fourth, np.zeros((2, 4, 5, 4)))


def test_one_node_can_be_the_output_and_one_input_is_enough(seed):
    [x] = random_inputs(seed, 1)
    cell = [("avg_pool_3x3", 0, 1), ("skip_connect", 0, 2), ("skip_connect", 1, 2)]
    output = nodes_of(cell, inputs=1, output=(2,))([x])
    right = x + twins.avg_pool(Var(x), 1).value
    np.testing.assert_allclose(output, right, rtol=0, atol=1e-12)


def test_a_node_that_nothing_reads_is_built_and_changes_nothing(seed, tmp_path):
    [x] = random_inputs(seed, 1)
    read = [("avg_pool_3x3", 0, 1), ("gate", 0, 2), ("gate", 1, 2)]
    unread = [("gate", 0, 3), ("skip_connect", 1, 4), ("gate", 3, 4), ("none", 4, 5)]
    small = nodes_of(read, inputs=1, output=(2,))
    model = nodes_of([*read, *unread], inputs=1, output=(2,))
    for layer in small.layers:
        if layer.weights:
            model.get_layer(layer.name).set_weights(layer.get_weights())
    assert len(model.weights) == 2 * len(small.weights)
    np.testing.assert_array_equal(model([x]), small([x]))
    save_model(model, tmp_path / "model.keras")
    np.testing.assert_array_equal(load_model(tmp_path / "model.keras")([x]), small([x]))


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_an_operation_and_a_space_from_outside_train_and_become_a_file(precision, seed, tmp_path):
    keras.utils.set_random_seed(seed)
    spec = NetworkSpec(three_inputs(), SHAPE, 5, layers=3, init_channels=4)
    network = build_network(spec, drop_path=True, dtype=precision)
    images = np.random.default_rng(seed).normal(size=(8, *SHAPE)).astype(np.float32)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(keras.optimizers.SGD(0.1), loss, jit_compile=False)
    kernels = [w for w in network.trainable_weights if "gate_value/kernel" in w.path]
    before = [kernel.numpy() for kernel in kernels]
    network.fit(images, np.arange(8) % 5, batch_size=4, verbose=0)
    assert len(kernels) == 6
    for old, new in zip(before, kernels, strict=True):
        assert not np.array_equal(old, new.numpy())

    twin = inference_network(network, spec, MEAN, DEVIATION)
    save_model(twin, tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")
    pixels = images * np.float32(DEVIATION) * 255 + np.float32(MEAN) * 255
    scores = keras.ops.softmax(keras.ops.cast(network(images, training=False), "float32"))
    tolerance = 1e-5 if precision == "float32" else 0.05
    np.testing.assert_allclose(loaded(pixels), scores, rtol=0, atol=tolerance)
    assert "darts_tf" not in config_of(tmp_path / "model.keras")


def config_of(path):
    with zipfile.ZipFile(path) as archive:
        return json.dumps(json.loads(archive.read("config.json")))


def test_drop_path_ends_every_operation_but_the_identity():
    spec = NetworkSpec(three_inputs(), SHAPE, 5, layers=3, init_channels=4)
    network = build_network(spec, drop_path=True)
    dropped = {layer.name for layer in network.layers if isinstance(layer, DropPath)}
    normal = {name for name in dropped if name.startswith("cell_0")}
    assert normal == {
        "cell_0_node_2_1_gate_drop_path",
        "cell_0_node_3_0_gate_drop_path",
        "cell_0_node_3_1_avg_pool_3x3_drop_path",
    }
    reduction = {name for name in dropped if name.startswith("cell_1")}
    assert reduction - {name.replace("cell_0", "cell_1") for name in normal} == {
        "cell_1_node_2_0_skip_connect_drop_path"
    }


@pytest.mark.parametrize("operation", ["skip_connect", "gate", "none"])
def test_a_space_of_one_input_without_reductions_makes_a_network(operation):
    genotype = Genotype(space="chain", inputs=1, cell=[(operation, 0, 1)], cell_concat=[1])
    spec = NetworkSpec(genotype, SHAPE, 5, layers=4, init_channels=4)
    network = build_network(spec, auxiliary=True)
    assert network.get_layer("cell_3").output.shape == (None, 8, 10, 4)
    assert network.get_layer("auxiliary_pool").input is network.get_layer("cell_2_relu").output
    assert inference_network(network, spec, MEAN, DEVIATION).output_shape == (None, 5)


def test_a_genotype_that_no_network_can_have_is_refused():
    operations.register(Operation("shift", family="shift", learnable=False))
    cell = [("shift", 0), ("skip_connect", 1)]
    genotype = Genotype(cell, (2,), cell, (2,))
    with pytest.raises(UserError, match="expected operations with a block, got 'shift'"):
        NetworkSpec(genotype)
    genotype = Genotype(space="elsewhere", cell=[("skip_connect", 0, 2)], cell_concat=(2,))
    with pytest.raises(UserError, match="unknown space 'elsewhere'"):
        NetworkSpec(genotype)


def test_nodes_and_cells_without_edges_are_zeros_that_keep_the_channels(tmp_path, seed):
    """As after a derivation by a threshold, in DARTS's own space: built, trained and saved."""
    genotype = Genotype(
        normal=[("sep_conv_3x3", 0, 3), ("skip_connect", 2, 4)],
        normal_concat=[2, 3, 4, 5],
        reduce=[],
        reduce_concat=[2, 3, 4, 5],
    )
    assert genotype.nodes("normal") == ((), (("sep_conv_3x3", 0),), (("skip_connect", 2),), ())
    spec = NetworkSpec(genotype, (8, 8, 3), classes=3, layers=3, init_channels=4)
    network = build_network(spec)
    random = np.random.default_rng(seed)
    images = random.normal(size=(6, 8, 8, 3)).astype(np.float32)
    outputs = keras.Model(
        network.input, [network.get_layer(f"cell_{number}").output for number in range(3)]
    )(images)
    channels = [output.shape[-1] for output in outputs]
    assert channels == [4 * place.width * 4 for place in spec.places()]
    first = np.split(outputs[0].numpy(), 4, axis=-1)
    assert [bool(np.any(part)) for part in first] == [False, True, False, False]
    assert not np.any(outputs[1].numpy())
    network.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    network.fit(images, np.arange(6) % 3, verbose=0)
    model = inference_network(network, spec, MEAN, DEVIATION)
    save_model(model, tmp_path / "model.keras")
    pixels = random.uniform(0, 255, (2, 8, 8, 3)).astype(np.float32)
    np.testing.assert_array_equal(load_model(tmp_path / "model.keras")(pixels), model(pixels))
