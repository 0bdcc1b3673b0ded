"""The PyTorch peer computes what the library does."""

import math
from functools import cache

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.config import SearchConfig
from darts_tf.engine.optimizers import SGD, Adam
from darts_tf.engine.replicas import Clock
from darts_tf.engine.scoring import Batch, score
from darts_tf.layers.normalization import BatchNormalization
from darts_tf.networks.network import build_network
from darts_tf.searching import methods
from darts_tf.searching.bilevel import BilevelStep
from darts_tf.spaces import zoo
from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.genotype import Genotype
from darts_tf.spaces.nas_bench_201 import NASBench201
from darts_tf.supernet.model import Supernet
from tests import weights
from tests.oracles import supernet as twin

torch = pytest.importorskip("torch")
pytest.importorskip("benchmarks")  # not in the wheel

from benchmarks.ours import method_search  # noqa: E402
from benchmarks.pytorch import (  # noqa: E402
    cells,
    copying,
    nas_bench_201,
    network,
    partial_channels,
    sampled,
    search_step,
    supernet,
    training_step,
)
from benchmarks.timing.works import BENCH_SETTINGS  # noqa: E402

LAYERS, CHANNELS, CLASSES = 3, 4, 5
BOUNDS = {"float32": (1e-5, 5e-3, 1e-2), "float64": (1e-9, 1e-9, 1e-9)}
FORMATS = ["contiguous_format", "channels_last"]
# What our optimizers, whose rate is float32, make of these.
RATE, ARCH_RATE = float(np.float32(0.025)), float(np.float32(3e-4))
# As after a derivation by a threshold: nodes with one, three, four and no edges.
UNEVEN = Genotype(
    normal=[
        ("sep_conv_3x3", 0, 3),
        ("skip_connect", 1, 3),
        ("max_pool_3x3", 2, 3),
        ("dil_conv_3x3", 3, 4),
    ],
    normal_concat=[2, 3, 4, 5],
    reduce=[
        ("max_pool_3x3", 0, 2),
        ("skip_connect", 0, 4),
        ("sep_conv_3x3", 1, 4),
        ("skip_connect", 2, 4),
        ("dil_conv_5x5", 2, 4),
    ],
    reduce_concat=[2, 3, 4, 5],
)
GENOTYPES = {
    "darts": zoo.get("DARTS_V2"),
    "amoebanet": zoo.get("AMOEBANET_A"),  # has every operation that only zoo cells use
    "uneven": UNEVEN,
}


def pictures(images, memory_format):
    """Images of ours as the peer takes them."""
    turned = torch.from_numpy(np.ascontiguousarray(np.transpose(images, (0, 3, 1, 2))))
    return turned.to(memory_format=getattr(torch, memory_format))


@cache
def built_supernet(shape, dtype):
    """Ours, traced once for all the tests that give it new weights."""
    ours = Supernet(layers=LAYERS, init_channels=CHANNELS, classes=CLASSES, dtype=dtype)
    ours.build((None, *shape))
    return ours


def supernets(seed, shape, dtype="float64", memory_format="contiguous_format"):
    """Our supernet with random weights, and the peer with the same."""
    rng = np.random.default_rng(seed)
    ours = built_supernet(shape, dtype)
    params = twin.random_params(rng, CHANNELS, LAYERS, CLASSES, shape[-1])
    weights.assign(weights.of_supernet(ours), params)
    weights.assign(dict(ours.relaxation.alphas), twin.random_alphas(rng, deviation=0.5))
    peer = supernet.Supernet(LAYERS, CHANNELS, CLASSES, shape[-1])
    peer.to(dtype=getattr(torch, dtype)).to(memory_format=getattr(torch, memory_format))
    copying.copy_supernet(ours, peer)
    return ours, peer


def networks(seed, genotype, dtype="float64", memory_format="contiguous_format"):
    """Our network with random scales, offsets and averages, and the peer with the same."""
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    settings = {"layers": LAYERS, "init_channels": CHANNELS, "classes": CLASSES}
    ours = build_network(
        genotype, (32, 32, 3), auxiliary=True, drop_path=True, dtype=dtype, **settings
    )
    for layer in ours.layers:
        if isinstance(layer, BatchNormalization):
            for variable in layer.weights:
                positive = variable is layer.moving_variance
                low = 0.5 if positive else -0.5
                variable.assign(rng.uniform(low, 1.5, variable.shape))
    peer = network.Network(genotype, auxiliary=True, **settings)
    peer.to(dtype=getattr(torch, dtype)).to(memory_format=getattr(torch, memory_format))
    copying.copy_network(ours, peer)
    return ours, peer


def random_arrays(seed, size, shape, dtype="float64"):
    rng = np.random.default_rng(seed + 1)
    return rng.normal(size=(size, *shape)).astype(dtype), rng.integers(0, CLASSES, size)


def random_batch(images, labels):
    share = tf.fill((len(labels),), tf.constant(1 / len(labels), images.dtype))
    return Batch(tf.constant(images), tf.constant(labels, tf.int32), share)


def check_same_weights(variables, peer):
    """All weights, and running averages, agree to 1e-9."""
    state = peer.state_dict()
    for name, variable in variables.items():
        found, right = state[name].numpy(), copying.as_peer(name, variable.numpy())
        # A running mean may be zero, apart from rounding.
        scale = max(np.abs(right).max(), "running_mean" in name)
        assert np.abs(found - right).max() < 1e-9 * scale, name


@pytest.mark.parametrize(
    ("shape", "dtype", "size", "memory_format"),
    [
        ((8, 8, 3), "float64", 4, "contiguous_format"),
        ((8, 8, 3), "float64", 4, "channels_last"),
        ((9, 7, 2), "float64", 4, "contiguous_format"),
        ((8, 8, 3), "float32", 12, "contiguous_format"),
        ((8, 8, 3), "float32", 12, "channels_last"),
    ],
)
def test_supernet_logits_loss_and_gradients_are_ours(shape, dtype, size, memory_format, seed):
    ours, peer = supernets(seed, shape, dtype, memory_format)
    images, labels = random_arrays(seed, size, shape, dtype)
    batch = random_batch(images, labels)
    variables = {k: v for k, v in copying.supernet_variables(ours).items() if v.trainable}
    with tf.GradientTape() as tape:
        logits = ours(batch.images, training=True)
        loss = score(logits, batch).loss
    gradients = tape.gradient(loss, [variable.value for variable in variables.values()])
    right = {k: copying.as_peer(k, g.numpy()) for k, g in zip(variables, gradients, strict=True)}

    peer_logits = peer(pictures(images, memory_format))
    peer_loss = torch.nn.functional.cross_entropy(peer_logits, torch.from_numpy(labels))
    peer_loss.backward()
    found = {name: parameter.grad.numpy() for name, parameter in peer.named_parameters()}

    bound, alpha_bound, weight_bound = BOUNDS[dtype]
    assert weights.relative_error(peer_logits.detach().numpy(), logits) < bound
    assert math.isclose(peer_loss.item(), loss, rel_tol=bound)
    assert found.keys() == right.keys()
    for alphas, allowed in ((True, alpha_bound), (False, weight_bound)):
        names = [name for name in found if name.startswith("alphas.") == alphas]
        assert weights.norm_error([found[n] for n in names], [right[n] for n in names]) < allowed
    if dtype == "float64":
        for name, gradient in found.items():
            assert weights.relative_error(gradient, right[name]) < bound, name


@pytest.mark.parametrize("memory_format", FORMATS)
def test_two_search_iterations_are_ours(memory_format, seed):
    shape = (8, 8, 3)
    ours, peer = supernets(seed, shape, memory_format=memory_format)
    step = BilevelStep(ours, SGD(RATE, 0.9, l2=3e-4, clip=0.5), Adam(ARCH_RATE, l2=1e-3))
    peer_step = search_step.SearchStep(peer, RATE, ARCH_RATE, grad_clip=0.5)
    for i in range(2):
        train, valid = (random_arrays(seed + 2 * i + j, 4, shape) for j in range(2))
        loss = step(random_batch(*train), random_batch(*valid)).loss
        tensors = [
            form
            for x, y in (train, valid)
            for form in (pictures(x, memory_format), torch.tensor(y))
        ]
        assert math.isclose(peer_step(*tensors), loss, rel_tol=1e-9)
    check_same_weights(copying.supernet_variables(ours), peer)


GDAS_STEP = {"nesterov": True, "weights_first": True}
# The method, the space, settings of the step, the peer's class, and more settings of its step.
SEARCHES = {
    "nas_bench_201": ("darts", NASBench201(), BENCH_SETTINGS, nas_bench_201.BenchSupernet, {}),
    "pc_darts": ("pc_darts", DARTS, {}, partial_channels.PartialSupernet, {}),
    "gdas": ("gdas", DARTS, GDAS_STEP, sampled.SampledSupernet, {"keep_gradients": True}),
}


@pytest.mark.parametrize(
    ("name", "memory_format"),
    [
        ("nas_bench_201", "channels_last"),
        ("pc_darts", "contiguous_format"),
        ("pc_darts", "channels_last"),
        ("gdas", "channels_last"),
    ],
)
def test_three_iterations_of_other_searches_are_ours(name, memory_format, seed):
    method, space, settings, peer_class, more = SEARCHES[name]
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    plug, config = methods.get(method), SearchConfig(grad_clip=0.5, **settings)
    relaxation = plug.relaxation(space, dtype="float64", name="relaxation")
    ours = Supernet(
        space,
        LAYERS,
        CHANNELS,
        CLASSES,
        relaxation=relaxation,
        partial=plug.partial,
        dtype="float64",
    )
    ours.build((None, 8, 8, 3))
    for variable in ours.architecture_variables:
        variable.assign(rng.normal(0, 0.5, variable.shape))
    step = plug.step(plug.stage(0, config, space, ()), ours, config, None)
    plug.on_epoch_begin(7, 9, ours)
    iterate = tf.function(step, autograph=False)

    peer = peer_class(LAYERS, CHANNELS, CLASSES).double()
    peer.to(memory_format=getattr(torch, memory_format))
    copying.copy_supernet(ours, peer)
    if name == "gdas":
        peer.temperature = float(ours.relaxation.temperature.numpy())
        noise = method_search.gumbel_of_passes(ours, Clock(7, 0), weights_first=True)
        peer.draw = lambda: {kind: torch.from_numpy(array) for kind, array in next(noise).items()}
    peer_step = search_step.SearchStep(peer, RATE, ARCH_RATE, 0.5, **settings, **more)
    before = {path: v.numpy() for path, v in copying.supernet_variables(ours).items()}
    for i in range(3):
        batches = [random_arrays(seed + 2 * i + j, 4, (8, 8, 3)) for j in range(2)]
        clock = Clock(*map(tf.constant, (7, i)))
        loss = iterate(*(random_batch(*batch) for batch in batches), clock).loss
        tensors = [
            form for x, y in batches for form in (pictures(x, memory_format), torch.tensor(y))
        ]
        assert math.isclose(peer_step(*tensors), loss, rel_tol=1e-9)
    after = copying.supernet_variables(ours)
    # In GDAS the running averages after a pool move where an edge has chosen it: in the peer those
    # of that edge, in ours those that all edges from the node share.
    pools = ".candidates.1.1.", ".candidates.2.1."
    compared = {k: v for k, v in after.items() if name != "gdas" or not any(p in k for p in pools)}
    check_same_weights(compared, peer)
    moved = [np.any(variable.numpy() != before[path]) for path, variable in after.items()]
    assert np.mean(moved) > (0.3 if name == "gdas" else 0.9)


def test_shuffled_channels_keep_their_layout():
    x = torch.arange(2 * 12 * 3 * 5).reshape(2, 12, 3, 5)
    for memory_format in (torch.contiguous_format, torch.channels_last):
        y = partial_channels.shuffled(x.to(memory_format=memory_format))
        assert y.is_contiguous(memory_format=memory_format)
        for k in range(4):
            for i in range(3):
                assert torch.equal(y[:, i * 4 + k], x[:, k * 3 + i])


def test_an_edge_of_gdas_computes_one_candidate(seed):
    torch.manual_seed(seed)
    edge = sampled.SampledOperation(4, 1)
    weight = torch.ones((), requires_grad=True)
    x = torch.randn(2, 4, 8, 8)
    y = edge(x, (5, weight))
    assert torch.equal(y, edge.candidates[5](x))
    y.square().sum().backward()
    assert weight.grad.abs() > 0
    computed = {name.split(".")[1] for name, p in edge.named_parameters() if p.grad is not None}
    assert computed == {"5"}


def test_the_peer_of_gdas_draws_gumbel_noise(seed):
    torch.manual_seed(seed)
    peer = sampled.SampledSupernet(LAYERS, CHANNELS, CLASSES)
    draws = torch.stack([peer.gumbel()["normal"] for _ in range(400)]).flatten()
    assert draws.isfinite().all()
    assert abs(draws.mean().item() - 0.5772) < 0.05
    assert abs(draws.var().item() - math.pi**2 / 6) < 0.15
    weights_of = peer.edge_weights()["normal"]
    assert len({chosen for chosen, _ in weights_of}) > 1
    assert all(abs(weight.item() - 1) < 1e-6 for _, weight in weights_of)


@pytest.mark.parametrize("name", GENOTYPES)
@pytest.mark.parametrize("memory_format", FORMATS)
def test_a_training_step_and_inference_are_ours(name, memory_format, seed):
    ours, peer = networks(seed, GENOTYPES[name], memory_format=memory_format)
    images, labels = random_arrays(seed, 3, (32, 32, 3))
    batch, tensor = random_batch(images, labels), pictures(images, memory_format)
    variables = copying.network_variables(ours)
    infer = training_step.Inference(peer)
    assert weights.relative_error(infer(tensor), ours(batch.images, training=False)[0]) < 1e-9

    optimizer = SGD(RATE, 0.9, l2=3e-4, clip=0.5)
    optimizer.build(ours.trainable_variables)
    trained = [variable.value for variable in ours.trainable_variables]
    with tf.GradientTape() as tape:
        outputs = ours(batch.images, training=True)
        loss = score(outputs[0], batch).loss + 0.4 * score(outputs[1], batch).loss
    gradients = tape.gradient(loss, trained)
    gradient_of = {id(v): g for v, g in zip(ours.trainable_variables, gradients, strict=True)}

    found = peer.train()(tensor)
    for ours_output, peer_output in zip(outputs, found, strict=True):
        assert weights.relative_error(peer_output.detach().numpy(), ours_output) < 1e-9
    target = torch.from_numpy(labels)
    losses = [torch.nn.functional.cross_entropy(output, target) for output in found]
    (losses[0] + 0.4 * losses[1]).backward()
    for path, parameter in peer.named_parameters():
        right = copying.as_peer(path, gradient_of[id(variables[path])].numpy())
        # A shift that a later normalisation takes away has no gradient but rounding.
        np.testing.assert_allclose(parameter.grad.numpy(), right, rtol=1e-9, atol=1e-12)

    # The running averages have moved in that pass, and are to move once.
    copying.copy_network(ours, peer)
    before = {path: variable.numpy() for path, variable in variables.items()}
    ours(batch.images, training=True)
    optimizer.apply(gradients)
    peer_loss = training_step.TrainingStep(peer, 0.4, RATE, grad_clip=0.5)(tensor, target)
    assert math.isclose(peer_loss, loss, rel_tol=1e-9)
    check_same_weights(variables, peer)
    assert all(np.any(variable.numpy() != before[path]) for path, variable in variables.items())
    infer = training_step.Inference(peer)
    assert weights.relative_error(infer(tensor), ours(batch.images, training=False)[0]) < 1e-9


def test_drop_path_zeroes_samples_and_keeps_the_mean(seed):
    torch.manual_seed(seed)
    x = torch.ones(4000, 2, 3, 3)
    dropped = cells.drop_samples(x, 0.25)
    assert set(dropped.unique().tolist()) <= {0.0, float(torch.tensor(1.0) / 0.75)}
    assert all(len(sample.unique()) == 1 for sample in dropped[:50])
    assert abs(dropped.mean().item() - 1) < 0.06


def test_drop_path_is_for_training_only(seed):
    torch.manual_seed(seed)
    peer = network.Network(zoo.get("DARTS_V2"), LAYERS, CHANNELS, CLASSES)
    images = torch.randn(4, 3, 8, 8)
    infer = training_step.Inference(peer)
    right = infer(images)
    peer.drop_path = 0.5
    assert torch.equal(infer(images), right)
    peer.train()
    first = peer(images)[0]
    assert not torch.equal(first, peer(images)[0])


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_the_peers_have_the_published_sizes():
    with torch.device("meta"):
        search, final = supernet.Supernet(), network.Network(zoo.get("DARTS_V2"), auxiliary=True)
    assert sum(parameter.numel() for parameter in search.weights()) == 1_930_618
    assert [tuple(p.shape) for p in search.architecture_parameters()] == [(14, 8)] * 2
    with torch.device("meta"):
        bench, parts = nas_bench_201.BenchSupernet(), partial_channels.PartialSupernet()
    for peer, size, architecture in ((bench, 1_692_826, 30), (parts, 299_578, 224 + 28)):
        assert sum(parameter.numel() for parameter in peer.weights()) == size
        assert sum(table.numel() for table in peer.architecture_parameters()) == architecture
    assert count(final.auxiliary) == 476_426
    assert count(final) - count(final.auxiliary) == 3_349_342


@pytest.mark.parametrize("change", ["classes", "layers", "left over"])
def test_copying_to_another_supernet_is_refused(change):
    ours = Supernet(layers=LAYERS, init_channels=CHANNELS, classes=CLASSES)
    ours.build((None, 8, 8, 3))
    peer = supernet.Supernet(
        LAYERS + (change == "layers"), CHANNELS, CLASSES + (change == "classes")
    )
    if change == "left over":
        peer.more = torch.nn.Linear(1, 1)
    told = {"classes": "classifier.weight: ours has shape", "left over": "more.bias, more.weight"}
    with pytest.raises(ValueError, match=told.get(change, "only one side has these weights")):
        copying.copy_supernet(ours, peer)
