"""Search iterations, training steps and inference in PyTorch, to compare with ours."""

import copy
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from benchmarks.data import CLASSES, images_and_labels, normalized, pixels, settling_images
from benchmarks.pytorch.network import Network
from benchmarks.pytorch.search_step import SearchStep
from benchmarks.pytorch.supernet import Supernet
from benchmarks.pytorch.training_step import Inference as InferenceStep
from benchmarks.pytorch.training_step import TrainingStep
from benchmarks.works import AUXILIARY_WEIGHT, CHANNELS_LAST, DROP_PATH, NCHW, Sizes
from darts_tf.runs.machine import usable_cores
from darts_tf.spaces import zoo

_FORMATS = {NCHW: torch.contiguous_format, CHANNELS_LAST: torch.channels_last}


class Search:
    """Iterations of the first-order search.

    Args:
        sizes: The sizes of the network and the batch.
        side: The memory layout, one of `benchmarks.works.PYTORCH`.
    """

    def __init__(self, sizes: Sizes, side: str) -> None:
        self.supernet = Supernet(sizes.cells, sizes.channels, CLASSES)
        self.supernet.to(memory_format=_FORMATS[side])
        self.step = SearchStep(self.supernet)
        self.tensors = [*_batch(sizes, 0, side), *_batch(sizes, 1, side)]

    def __call__(self) -> float:
        """Runs one iteration and returns its training loss."""
        return self.step(*self.tensors)

    @torch.no_grad()
    def logits(self) -> np.ndarray:
        """Returns the logits of the training batch in training mode."""
        return self.supernet(self.tensors[0]).numpy()


class Training:
    """Training steps of DARTS_V2 with its auxiliary head.

    Args:
        sizes: The sizes of the network and the batch.
        side: The memory layout, one of `benchmarks.works.PYTORCH`.
        drop_path: Drop path rate.
    """

    def __init__(self, sizes: Sizes, side: str, drop_path: float = DROP_PATH) -> None:
        self.network = _network(sizes, side, auxiliary=True)
        self.network.drop_path = drop_path
        self.step = TrainingStep(self.network, AUXILIARY_WEIGHT)
        self.tensors = _batch(sizes, 0, side)

    def __call__(self) -> float:
        """Takes one step and returns its loss, including that of the auxiliary head."""
        return self.step(*self.tensors)

    @torch.no_grad()
    def logits(self) -> np.ndarray:
        """Returns the logits of the batch, and those of the auxiliary head, in training mode."""
        return np.stack([part.numpy() for part in self.network(self.tensors[0])])


class Inference:
    """Inference with an untrained DARTS_V2 whose running averages are the statistics of a batch.

    Args:
        sizes: The sizes of the network and the batch.
        side: The memory layout, one of `benchmarks.works.PYTORCH`.
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
        return self.step(self.images).numpy()

    def exact(self) -> np.ndarray:
        """Returns the logits of the batch, computed in float64."""
        network = copy.deepcopy(self.network).double()
        return InferenceStep(network)(self.images.double()).numpy()


def build(kind: str, side: str, sizes: Sizes) -> Callable[[], object]:
    """Builds a callable that runs one iteration of a kind of workload, with one thread per core.

    Args:
        kind: `search`, `recompute`, `training` or `inference`.
        side: The memory layout, one of `benchmarks.works.PYTORCH`.
        sizes: The sizes of the network and the batch.
    """
    torch.set_num_threads(usable_cores())
    torch.manual_seed(0)
    sides = {"training": Training, "inference": Inference}
    return sides.get(kind, Search)(sizes, side)


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
