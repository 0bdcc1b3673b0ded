"""Search iterations, training steps and inference in PyTorch, to compare with ours."""

import copy
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils._pytree import tree_map

from benchmarks.pytorch.nas_bench_201 import BenchSupernet
from benchmarks.pytorch.network import Network
from benchmarks.pytorch.partial_channels import PartialSupernet
from benchmarks.pytorch.sampled import SampledSupernet
from benchmarks.pytorch.search_step import SearchStep
from benchmarks.pytorch.supernet import Searched, Supernet
from benchmarks.pytorch.training_step import Inference as InferenceStep
from benchmarks.pytorch.training_step import TrainingStep
from benchmarks.timing.data import CLASSES, images_and_labels, normalized, pixels, settling_images
from benchmarks.timing.works import (
    AUXILIARY_WEIGHT,
    BENCH_SETTINGS,
    CHANNELS_LAST,
    DROP_PATH,
    GDAS_TEMPERATURE,
    NCHW,
    Sizes,
)
from darts_tf.runs.machine import usable_cores
from darts_tf.spaces import zoo

# The memory layouts of the sides.
_FORMATS = {NCHW: torch.contiguous_format, CHANNELS_LAST: torch.channels_last}


class Search:
    """Iterations of a first-order search.

    Args:
        sizes: The sizes of the network and the batch.
        side: The memory layout, one of `benchmarks.timing.works.PYTORCH`.
        supernet: Makes the supernet, by default that of DARTS.
        **settings: Settings of the step.
    """

    def __init__(
        self,
        sizes: Sizes,
        side: str,
        supernet: Callable[[int, int, int], Searched] = Supernet,
        **settings: Any,
    ) -> None:
        self.supernet = supernet(sizes.cells, sizes.channels, CLASSES)
        self.supernet.to(memory_format=_FORMATS[side])
        self.step = SearchStep(self.supernet, **settings)
        self.tensors = [*_batch(sizes, 0, side), *_batch(sizes, 1, side)]

    def __call__(self) -> float:
        """Runs one iteration and returns its training loss."""
        return self.step(*self.tensors)

    def move_to(self, device: str, bfloat16: bool) -> None:
        """Moves the iterations to a device; see `place`."""
        self.tensors = place(self.supernet, self.tensors, device, bfloat16)

    @torch.no_grad()
    def logits(self) -> np.ndarray:
        """Returns the logits of the training batch in training mode."""
        return self.supernet(self.tensors[0]).numpy()


class Sampled(Search):
    """Iterations of GDAS.

    Args:
        sizes: The sizes of the network and the batch.
        side: The memory layout, one of `benchmarks.timing.works.PYTORCH`.
    """

    def __init__(self, sizes: Sizes, side: str) -> None:
        super().__init__(
            sizes, side, SampledSupernet, nesterov=True, weights_first=True, keep_gradients=True
        )
        self.supernet.temperature = GDAS_TEMPERATURE

    def set_noise(self, draw: Callable[[], Mapping[str, np.ndarray]]) -> None:
        """Lets passes take their noise from a function, and not draw it."""
        self.supernet.draw = lambda: {k: torch.from_numpy(v) for k, v in draw().items()}

    def logits(self) -> np.ndarray:
        """Returns the logits of the training batch in training mode, without noise."""
        draw = self.supernet.draw
        self.supernet.draw = lambda: {
            kind: torch.zeros_like(table) for kind, table in self.supernet.alphas.items()
        }
        logits = super().logits()
        self.supernet.draw = draw
        return logits


class Training:
    """Training steps of DARTS_V2 with its auxiliary head.

    Args:
        sizes: The sizes of the network and the batch.
        side: The memory layout, one of `benchmarks.timing.works.PYTORCH`.
        drop_path: Drop path rate.
    """

    def __init__(self, sizes: Sizes, side: str, drop_path: float = DROP_PATH) -> None:
        self.network = _network(sizes, side, auxiliary=True)
        self.network.drop_path = drop_path
        self.step = TrainingStep(self.network, AUXILIARY_WEIGHT)
        self.tensors = [*_batch(sizes, 0, side)]

    def __call__(self) -> float:
        """Takes one step and returns its loss, including that of the auxiliary head."""
        return self.step(*self.tensors)

    def move_to(self, device: str, bfloat16: bool) -> None:
        """Moves the steps to a device; see `place`."""
        self.tensors = place(self.network, self.tensors, device, bfloat16)

    @torch.no_grad()
    def logits(self) -> np.ndarray:
        """Returns the logits of the batch, and those of the auxiliary head, in training mode."""
        return np.stack([part.numpy() for part in self.network(self.tensors[0])])


class Inference:
    """Inference with an untrained DARTS_V2 whose running averages are the statistics of a batch.

    Args:
        sizes: The sizes of the network and the batch.
        side: The memory layout, one of `benchmarks.timing.works.PYTORCH`.
    """

    def __init__(self, sizes: Sizes, side: str) -> None:
        self.network = _network(sizes, side, auxiliary=False)
        norms = [m for m in self.network.modules() if isinstance(m, nn.BatchNorm2d)]
        for norm in norms:
            norm.momentum = 1.0
        with torch.no_grad():
            self.network(_as_tensor(settling_images(sizes), side))
        self.step = InferenceStep(self.network)
        self.images = _as_tensor(normalized(pixels(sizes)), side)

    def __call__(self) -> np.ndarray:
        """Returns the logits of the batch."""
        return self.step(self.images).cpu().numpy()

    def move_to(self, device: str, bfloat16: bool) -> None:
        """Moves the inference to a device; see `place`."""
        [self.images] = place(self.network, [self.images], device, bfloat16)

    def exact(self) -> np.ndarray:
        """Returns the logits of the batch, computed in float64."""
        network = copy.deepcopy(self.network).double()
        return InferenceStep(network)(self.images.double()).numpy()


_SIDES: Mapping[str, Callable[[Sizes, str], Callable[[], object]]] = {
    "search": Search,
    "recompute": Search,
    "nas_bench_201": partial(Search, supernet=BenchSupernet, **BENCH_SETTINGS),
    "pc_darts": partial(Search, supernet=PartialSupernet),
    "gdas": Sampled,
    "training": Training,
    "inference": Inference,
}


def build(kind: str, side: str, sizes: Sizes) -> Callable[[], object]:
    """Builds a callable that runs one iteration of a kind of workload, with one thread per core.

    Args:
        kind: A key of `_SIDES`.
        side: The memory layout, one of `benchmarks.timing.works.PYTORCH`.
        sizes: The sizes of the network and the batch.
    """
    torch.set_num_threads(usable_cores())
    torch.manual_seed(0)
    return _SIDES[kind](sizes, side)


def place(
    module: nn.Module, tensors: Sequence[torch.Tensor], device: str, bfloat16: bool
) -> list[torch.Tensor]:
    """Moves a module to a device.

    Args:
        module: The module, whose parameters stay those that an optimizer has.
        tensors: What it is called with.
        device: The device, `cuda` or `cpu`.
        bfloat16: Whether its forward pass from now on computes in bfloat16 what PyTorch's autocast
            does, and returns float32.

    Returns:
        The tensors on the device.
    """
    module.to(device)
    if bfloat16:
        forward = module.forward

        def cast(*inputs: torch.Tensor) -> Any:
            with torch.autocast(device, torch.bfloat16):
                outputs = forward(*inputs)
            return tree_map(lambda output: output if output is None else output.float(), outputs)

        module.forward = cast
    return [tensor.to(device) for tensor in tensors]


def _network(sizes: Sizes, side: str, auxiliary: bool) -> Network:
    network = Network(
        zoo.get("DARTS_V2"), sizes.cells, sizes.channels, CLASSES, auxiliary=auxiliary
    )
    return network.to(memory_format=_FORMATS[side])


def _batch(sizes: Sizes, stream: int, side: str) -> tuple[torch.Tensor, torch.Tensor]:
    images, labels = images_and_labels(sizes, stream)
    return _as_tensor(images, side), torch.from_numpy(labels)


def _as_tensor(images: np.ndarray, side: str) -> torch.Tensor:
    channels_first = torch.from_numpy(np.ascontiguousarray(images.transpose((0, 3, 1, 2))))
    return channels_first.to(memory_format=_FORMATS[side])
