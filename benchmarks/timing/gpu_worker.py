"""Runs one side of a workload on a GPU on request, as `benchmarks.timing.worker` does on a CPU.

    python -m benchmarks.timing.gpu_worker SIDE --kind=search [--precision=bfloat16] [--jit_compile]
    python -m benchmarks.timing.gpu_worker SIDE --card

The second form prints the name of the card, empty where the side's framework sees none, and the
framework's version.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import partial
from typing import Any

from benchmarks.command_line import Parser, positive
from benchmarks.ours.exporting import hide_gpus
from benchmarks.timing.worker import peak_mib, serve
from benchmarks.timing.works import OURS, PYTORCH, Sizes
from darts_tf.command_line.program import run

PRECISIONS = ("float32", "bfloat16")


def card(side: str) -> tuple[str, str]:
    """Returns the name of the first GPU, empty without one, and the version of the framework."""
    if side == OURS:
        import tensorflow as tf

        devices = tf.config.list_physical_devices("GPU")
        details = tf.config.experimental.get_device_details(devices[0]) if devices else {}
        # A card without a name is a card all the same.
        return details.get("device_name", "GPU") if devices else "", tf.__version__
    import torch

    return torch.cuda.get_device_name(0) if torch.cuda.is_available() else "", torch.__version__


def build_ours(kind: str, sizes: Sizes, precision: str, jit_compile: bool) -> Callable[[], object]:
    """Builds our side; TensorFlow places it on the first GPU where there is one."""
    from benchmarks.ours import served, steps

    if kind == "inference":
        return served.build(sizes)
    steps.set_up(jit_compile)
    make = steps.Training if kind == "training" else steps.Search
    return make(sizes, mixed_precision=precision, jit_compile=jit_compile)


def build_peer(
    kind: str, side: str, sizes: Sizes, precision: str, cpu: bool
) -> Callable[[], object]:
    """Builds a side in PyTorch on the first GPU, or on the CPU."""
    import torch

    from benchmarks.pytorch import peers

    torch.backends.cudnn.benchmark = True  # as in the code of DARTS
    built: Any = peers.build(kind, side, sizes)
    built.move_to("cpu" if cpu else "cuda", precision == "bfloat16")
    return built


def serve_ours(
    kind: str, sizes: Sizes, precision: str, jit_compile: bool, calls: int, cpu: bool
) -> None:
    """Serves requests by our side."""
    import tensorflow as tf

    def peak() -> float:
        return tf.config.experimental.get_memory_info("GPU:0")["peak"] / 2**20

    serve(
        partial(build_ours, kind, sizes, precision, jit_compile),
        1,
        calls,
        peak_mib if cpu else peak,
        tf.test.experimental.sync_devices,
    )


def serve_peer(kind: str, side: str, sizes: Sizes, precision: str, calls: int, cpu: bool) -> None:
    """Serves requests by a side in PyTorch."""
    import torch

    def peak() -> float:
        return torch.cuda.max_memory_allocated() / 2**20

    build = partial(build_peer, kind, side, sizes, precision, cpu)
    if cpu:
        serve(build, 1, calls)
    else:
        serve(build, 1, calls, peak, torch.cuda.synchronize)


def main(arguments: Sequence[str]) -> None:
    """Prints the card, or builds the workload and serves requests.

    Args:
        arguments: The command line without the program's name.

    Raises:
        UserError: If an argument is invalid.
    """
    parser = Parser("benchmarks.timing.gpu_worker", __doc__)
    parser.add_argument("side", choices=(OURS, *PYTORCH), help="the implementation")
    parser.add_argument("--card", action="store_true", help="print the card and the version")
    parser.add_argument("--kind", choices=("search", "training", "inference"), default="search")
    parser.add_argument("--precision", choices=PRECISIONS, default="float32")
    parser.add_argument("--jit_compile", action="store_true", help="compile our steps by XLA")
    parser.add_argument("--calls", type=positive, default=1, help="iterations per request")
    parser.add_argument("--cpu", action="store_true", help="run on the CPU")
    for field in fields(Sizes):
        parser.add_argument(f"--{field.name}", type=positive, default=field.default)
    options = parser.parse_args(arguments)
    if options.cpu:
        hide_gpus()
    if options.card:
        print(*card(options.side), sep="\n")
        return
    sizes = Sizes(**{field.name: getattr(options, field.name) for field in fields(Sizes)})
    if options.side == OURS:
        serve_ours(
            options.kind, sizes, options.precision, options.jit_compile, options.calls, options.cpu
        )
    else:
        serve_peer(options.kind, options.side, sizes, options.precision, options.calls, options.cpu)


if __name__ == "__main__":
    sys.exit(run("gpu_worker", main))
