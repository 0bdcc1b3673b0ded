"""Compares the numbers of both sides of a work: `python -m benchmarks.check WORK [SIDE ...]`.

Searches and training steps are compared on 12 small images: logits, the loss of an iteration, and
that of the next, which both updates have moved. Inference is compared at its full size, with the
peer in float64. Ends with status 1 if a difference is beyond its bound.
"""

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks import works
from benchmarks.command_line import Parser, require_torch
from benchmarks.works import PLAIN, PYTORCH, Sizes, Work
from darts_tf.errors import UserError, nearest
from trainers.program import run

# Shares of the largest entry, and of the loss (float32; a ReLU's kink or a tie in a pool can flip).
# Scores are held to the peer's in float64, from which its own in float32 differ by up to 6e-5.
BOUNDS = {"logits": 1e-5, "first loss": 1e-5, "second loss": 1e-3, "scores": 1e-4}
Differences = dict[str, dict[str, float]]


def differences(work: Work, peers: Sequence[str]) -> Differences:
    """Gives each peer our weights and compares what both sides compute.

    Args:
        work: The work.
        peers: The sides to compare ours with.

    Returns:
        For each peer, relative differences by a key of `BOUNDS`.
    """
    return _of_inference(work, peers) if work.kind == "inference" else _of_steps(work, peers)


def relative_difference(found: Any, right: Any) -> float:
    """Returns the largest difference of two arrays as a share of the largest entry."""
    found, right = np.asarray(found, np.float64), np.asarray(right, np.float64)
    return float(np.abs(found - right).max() / np.abs(right).max())


def _of_steps(work: Work, peers: Sequence[str]) -> Differences:
    from benchmarks import ours

    sizes = replace(work.tiny().sizes, batch=12)
    if work.kind == "training":
        mine: Any = ours.Training(sizes, drop_path=0.0)
    else:
        mine = ours.build(work.kind, sizes)
    sides = {peer: _twin(peer, work.kind, sizes, mine) for peer in peers}
    right = (mine.logits(), mine(), mine())
    return {
        peer: {
            name: relative_difference(*pair)
            for name, *pair in zip(BOUNDS, (side.logits(), side(), side()), right, strict=False)
        }
        for peer, side in sides.items()
    }


def _twin(peer: str, kind: str, sizes: Sizes, mine: Any) -> Any:
    if peer == PLAIN:
        from benchmarks.plain_side import Plain

        plain = Plain(sizes)
        plain.step.copy(mine.supernet)
        return plain
    from benchmarks import peers
    from benchmarks.pytorch import copying

    side: Any = peers.build(kind, peer, sizes)
    if kind == "training":
        side.network.drop_path = 0.0
        copying.copy_network(mine.network, side.network)
    else:
        copying.copy_supernet(mine.supernet, side.supernet)
    return side


def _of_inference(work: Work, peers: Sequence[str]) -> Differences:
    from benchmarks import exporting, served
    from benchmarks.peers import build
    from benchmarks.pytorch import copying

    network = exporting.settled(work.sizes)
    with tempfile.TemporaryDirectory() as folder:
        right = served.Served(work.sizes, exporting.export(network, work.sizes, folder))()
    found: Differences = {}
    for peer in peers:
        side: Any = build(work.kind, peer, work.sizes)
        copying.copy_network(network, side.network)
        logits = side.exact()
        powers = np.exp(logits - logits.max(1, keepdims=True))
        found[peer] = {"scores": relative_difference(powers / powers.sum(1, keepdims=True), right)}
    return found


def main(arguments: Sequence[str]) -> None:
    """Prints the differences, a line a peer.

    Args:
        arguments: The command line without the program's name.

    Raises:
        UserError: If something in them is wrong.
        SystemExit: If a difference is too large.
    """
    parser = Parser("benchmarks.check", __doc__)
    parser.add_argument("work", help="name of the work")
    parser.add_argument("peers", nargs="*", metavar="SIDE", help=", ".join((*PYTORCH, PLAIN)))
    parser.add_tiny()
    options = parser.parse_args(arguments)
    work = works.find(options.work)
    if not work.same_numbers:
        raise UserError(f"{options.work}: its sides are not to compute the same")
    work = work.tiny() if options.tiny else work
    peers = options.peers or work.peers
    for peer in peers:
        if peer not in (*PYTORCH, PLAIN):
            raise UserError(f"there is no side '{peer}'.{nearest(peer, (*PYTORCH, PLAIN))}")
    if set(peers) & set(PYTORCH):
        require_torch()
    if work.kind != "inference":
        from benchmarks import ours

        ours.set_up()
    agree = True
    for peer, values in differences(work, peers).items():
        parts = [
            f"{name} differ by {value:.1e} (at most {BOUNDS[name]:.0e})"
            for name, value in values.items()
        ]
        print(f"{options.work}: {peer}: {', '.join(parts)}")
        # Not a number is not within.
        agree = agree and all(value <= BOUNDS[name] for name, value in values.items())
    if not agree:
        raise SystemExit(f"{options.work}: the sides do not compute the same, so nothing is timed")


if __name__ == "__main__":
    sys.exit(run("check", main))
