"""Soak test: kills and resumes runs at random instants, and compares bit for bit.

    python -m tests.soak --minutes=30 [--seed=1]

It kills searches and training runs, in a ratio of two to one. One run is uninterrupted; the same
run is repeatedly killed by SIGKILL, at its start, between and within steps, while checkpoints and
lines of the history are written, and resumed until it is finished. Both must have the same history
and result. Exits with status 1 if they differ.
"""

import argparse
import os
import random
import secrets
import sys
import tempfile
import time
from pathlib import Path

from darts_tf import data
from tests.killing import SEARCH, TRAIN, Job

OFTEN = "--checkpoint_every=1step"


def soak(job: Job, whole: Job, rng: random.Random, until: float) -> int:
    """Kills and resumes a run until it is finished, or the time is up.

    Args:
        job: The run to kill.
        whole: The same run, uninterrupted.
        rng: Draws the instants of the kills.
        until: When to stop, in the time of `time.monotonic`.

    Returns:
        The number of kills.

    Raises:
        SystemExit: If the outcomes differ.
    """
    begun = time.monotonic()
    whole.finish()
    lifetime = time.monotonic() - begun
    kills = 0
    while time.monotonic() < until:
        if rng.random() < 0.25:
            status = job.kill(rng.uniform(0, lifetime), OFTEN)
        else:
            status = job.kill_after_checkpoints(rng.randrange(3), OFTEN)
        if status == 0:
            break
        kills += 1
    else:
        job.finish(OFTEN)
    if job.outcome() != whole.outcome():
        raise SystemExit(f"{job.path} and {whole.path} differ after {kills} kills")
    return kills


def main() -> None:
    """Soaks and prints the counts, run by run."""
    parser = argparse.ArgumentParser("tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**30))
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    rng = random.Random(options.seed)
    until = time.monotonic() + 60 * options.minutes
    print(f"seed {options.seed}", flush=True)
    total = {SEARCH: 0, TRAIN: 0}
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    data.load("digits", str(folder / "data"))
    number = 0
    while time.monotonic() < until:
        words = SEARCH if total[SEARCH] <= 2 * total[TRAIN] else TRAIN
        seed = rng.randrange(2**30)
        pair = [Job(words, seed, folder, f"{number}-{name}") for name in ("killed", "whole")]
        kills = soak(*pair, rng, until)
        total[words] += kills
        number += 1
        print(f"{pair[0].program}, seed {seed}: the same after {kills} kills", flush=True)
    print(f"{total[SEARCH]} kills of searches, {total[TRAIN]} of trainings: no difference")


if __name__ == "__main__":
    sys.exit(main())
