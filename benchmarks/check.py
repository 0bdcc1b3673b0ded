"""Compares the numbers that both sides of a workload compute.

    python -m benchmarks.check WORK [SIDE ...]

Searches and training steps are compared on 12 small images: logits, the loss of an iteration, and
that of the next, after both updates. Inference is compared at full size, with the peer in float64.
Exits with status 1 if a difference exceeds its bound.
"""

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.command_line import Parser, require_torch
from benchmarks.timing import works
from benchmarks.timing.works import PLAIN, PYTORCH, Sizes, Work
from darts_tf.command_line.program import run
from darts_tf.errors import UserError, nearest

# Relative to the largest entry, and to the loss (float32; the kink of a ReLU or a tie in a pool can
# flip). The reference of scores is the peer in float64; in float32 it differs by up to 6e-5.
BOUNDS = {"logits": 1e-5, "first loss": 1e-5, "second loss": 1e-3, "scores": 1e-4}
Differences = dict[str, dict[str, float]]


def differences(work: Work, peers: Sequence[str]) -> Differences:
    """Copies our weights to each peer and compares what both sides compute.

    Args:
        work: The workload.
        peers: The sides to compare with ours.

    Returns:
        For each peer, the relative differences by key of `BOUNDS`.
    """
    return _of_inference(work, peers) if work.kind == "inference" else _of_steps(work, peers)


def relative_difference(actual: Any, expected: Any) -> float:
    """Returns the largest absolute difference, relative to the largest expected entry."""
    actual, expected = np.asarray(actual, np.float64), np.asarray(expected, np.float64)
    return float(np.abs(actual - expected).max() / np.abs(expected).max())


def _of_steps(work: Work, peers: Sequence[str]) -> Differences:
    from benchmarks.ours import steps

    sizes = replace(work.tiny().sizes, batch=12)
    if work.kind == "training":
        mine: Any = steps.Training(sizes, drop_path=0.0)
    else:
        mine = steps.build(work.kind, sizes)
    sides = {peer: _twin(peer, work.kind, sizes, mine) for peer in peers}
    expected = (mine.logits(), mine(), mine())
    return {
        peer: {
            name: relative_difference(*pair)
            for name, *pair in zip(BOUNDS, (side.logits(), side(), side()), expected, strict=False)
        }
        for peer, side in sides.items()
    }


def _twin(peer: str, kind: str, sizes: Sizes, mine: Any) -> Any:
    if peer == PLAIN:
        from benchmarks.plain.side import Plain

        plain = Plain(sizes)
        plain.step.copy(mine.supernet)
        return plain
    from benchmarks.pytorch import copying, peers

    side: Any = peers.build(kind, peer, sizes)
    if kind == "training":
        side.network.drop_path = 0.0
        copying.copy_network(mine.network, side.network)
    else:
        copying.copy_supernet(mine.supernet, side.supernet)
    if kind == "gdas":
        noise = mine.gumbel()
        side.set_noise(lambda: next(noise))
    return side


def _of_inference(work: Work, peers: Sequence[str]) -> Differences:
    from benchmarks.ours import exporting, served
    from benchmarks.pytorch import copying
    from benchmarks.pytorch.peers import build

    network = exporting.settled(work.sizes)
    with tempfile.TemporaryDirectory() as folder:
        expected = served.Served(work.sizes, exporting.export(network, work.sizes, folder))()
    result: Differences = {}
    for peer in peers:
        side: Any = build(work.kind, peer, work.sizes)
        copying.copy_network(network, side.network)
        logits = side.exact()
        powers = np.exp(logits - logits.max(1, keepdims=True))
        scores = powers / powers.sum(1, keepdims=True)
        result[peer] = {"scores": relative_difference(scores, expected)}
    return result


def main(arguments: Sequence[str]) -> None:
    """Prints the differences, one line per peer.

    Args:
        arguments: The command line without the program's name.

    Raises:
        UserError: If an argument is invalid.
        SystemExit: If a difference is too large.
    """
    parser = Parser("benchmarks.check", __doc__)
    parser.add_argument("work", help="name of the workload")
    parser.add_argument("peers", nargs="*", metavar="SIDE", help=", ".join((*PYTORCH, PLAIN)))
    parser.add_tiny()
    options = parser.parse_args(arguments)
    work = works.find(options.work)
    if not work.same_numbers:
        raise UserError(f"{options.work}: its sides are not expected to compute the same numbers")
    work = work.tiny() if options.tiny else work
    peers = options.peers or work.peers
    for peer in peers:
        if peer not in (*PYTORCH, PLAIN):
            raise UserError(f"unknown side '{peer}'.{nearest(peer, (*PYTORCH, PLAIN))}")
    if set(peers) & set(PYTORCH):
        require_torch()
    if work.kind != "inference":
        from benchmarks.ours import steps

        steps.set_up()
    agree = True
    for peer, values in differences(work, peers).items():
        parts = [
            f"{name} differ by {value:.1e} (at most {BOUNDS[name]:.0e})"
            for name, value in values.items()
        ]
        print(f"{options.work}: {peer}: {', '.join(parts)}")
        # NaN is not within the bounds.
        agree = agree and all(value <= BOUNDS[name] for name, value in values.items())
    if not agree:
        raise SystemExit(f"{options.work}: the sides do not compute the same, so nothing is timed")


if __name__ == "__main__":
    sys.exit(run("check", main))
