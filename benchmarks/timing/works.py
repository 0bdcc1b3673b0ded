"""The workloads to measure: their sizes, and the implementations to compare."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from darts_tf.errors import UserError, nearest
from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.search_space import SearchSpace

OURS = "ours"
NCHW, CHANNELS_LAST = "pytorch nchw", "pytorch channels_last"
PYTORCH = (NCHW, CHANNELS_LAST)
PLAIN = "plain graph"
FIRST_ORDER = "first order"
SIDES = (OURS, *PYTORCH, PLAIN, FIRST_ORDER)

# Settings of a training step, for all implementations.
AUXILIARY_WEIGHT = 0.4
DROP_PATH = 0.2
# Settings of the search of NAS-Bench-201 that differ from DARTS's.
BENCH_SETTINGS: dict[str, Any] = {"weight_decay": 5e-4, "nesterov": True, "weights_first": True}
# Temperature of GDAS's last epoch.
GDAS_TEMPERATURE = 0.1


@dataclass(frozen=True)
class Sizes:
    """Sizes of a network and of its batches.

    Attributes:
        batch: Batch size.
        image_size: Height and width of an image.
        channels: Channels of a node in the first cell.
        cells: Number of cells.
        candidates: Number of candidate operations of the search space, a key of `SPACES`.
        nodes: Number of nodes of a cell of the search; PyTorch's have as many as DARTS's.
    """

    batch: int = 64
    image_size: int = 32
    channels: int = 16
    cells: int = 8
    candidates: int = 8
    nodes: int = DARTS.nodes

    def flags(self) -> list[str]:
        """Returns the sizes as flags of a worker."""
        return [f"--{name}={value}" for name, value in asdict(self).items()]

    def space(self) -> SearchSpace:
        """Returns the search space."""
        return replace(SPACES[self.candidates], nodes=self.nodes)

    def smallest(self) -> "Sizes":
        """Returns the sizes with the smallest search space, for tests of our side alone."""
        return replace(self, candidates=min(SPACES), nodes=1)


@dataclass(frozen=True)
class Work:
    """A workload that both sides run.

    Attributes:
        kind: `search`, `second order`, `recompute`, `nas_bench_201`, `pc_darts`, `gdas`,
            `training` or `inference`.
        peers: The sides to compare with ours.
        text: Description for the help.
        sizes: Sizes of the network and the batch.
        start: Whether to time a new process, from its start to the end of its first iteration.
        calls: Iterations per run; the time is their mean.
    """

    kind: str
    peers: tuple[str, ...]
    text: str
    sizes: Sizes = Sizes()
    start: bool = False
    calls: int = 1

    @property
    def same_numbers(self) -> bool:
        """Whether all sides compute the same numbers."""
        return self.kind != "second order"

    def tiny(self) -> "Work":
        """Returns the workload with small sizes for tests; an auxiliary head needs 32x32 images."""
        size = 32 if self.kind == "training" else 8
        return replace(
            self, sizes=replace(self.sizes, batch=4, image_size=size, channels=4, cells=3)
        )


_NETWORK = Sizes(batch=96, channels=36, cells=20)

WORKS = {
    "search_32": Work("search", PYTORCH, "an iteration of the first-order search, 32x32"),
    "search_8": Work("search", PYTORCH, "the same on 8x8", Sizes(image_size=8)),
    "search_32_recompute": Work(
        "recompute", (CHANNELS_LAST,), "search_32 with cells recomputed in the backward pass"
    ),
    "search_bench": Work(
        "nas_bench_201",
        PYTORCH,
        "an iteration in the space of NAS-Bench-201, 5 cells a stage, 32x32",
        Sizes(cells=15),
    ),
    "search_pc_darts": Work("pc_darts", PYTORCH, "an iteration of PC-DARTS, else as search_32"),
    "search_gdas": Work(
        "gdas", PYTORCH, "an iteration of GDAS, mean of 5 with draws of their own", calls=5
    ),
    "second_order": Work(
        "second order", (FIRST_ORDER,), "an iteration of second order beside one of first order"
    ),
    "start": Work(
        "search",
        (PLAIN,),
        "search_32 from the start of the process to the end of the first iteration",
        start=True,
    ),
    "training": Work("training", PYTORCH, "a training step of DARTS_V2", _NETWORK),
    "inference_1": Work(
        "inference",
        PYTORCH,
        "DARTS_V2 as a SavedModel, one image",
        replace(_NETWORK, batch=1),
        calls=50,
    ),
    "inference_96": Work("inference", PYTORCH, "the same, 96 images", _NETWORK),
}

# Each search space contains the smaller ones.
SPACES = {
    count: SearchSpace(
        candidates=tuple(name for name in DARTS.candidates if name in chosen),
        nodes=DARTS.nodes,
        inputs_per_node=DARTS.inputs_per_node,
        learnable=tuple(name for name in DARTS.learnable if name in chosen),
    )
    for count, chosen in {
        2: ("skip_connect", "sep_conv_3x3"),
        4: ("skip_connect", "sep_conv_3x3", "max_pool_3x3", "dil_conv_3x3"),
        8: DARTS.candidates,
    }.items()
}


def find(name: str) -> Work:
    """Returns a workload by its name.

    Raises:
        UserError: If the name is unknown.
    """
    if name not in WORKS:
        hint = nearest(name, WORKS) or f" Expected one of {', '.join(WORKS)}."
        raise UserError(f"unknown workload '{name}'.{hint}")
    return WORKS[name]


def listing(names: Iterable[str] = WORKS) -> str:
    """Returns the names and descriptions of workloads, one per line."""
    return "\n".join(f"  {name:<20} {WORKS[name].text}" for name in names)
