"""Fuzzing: passes randomly corrupted files of each kind to their readers.

    python -m tests.fuzz --examples=10000 [--seed=1]

A file must be read correctly or refused with a one-line error: see `tests/fuzzing/`, one module per
kind. Prints the number of inputs of each kind; exits with status 1 if one fails.
"""

import argparse
import logging
import secrets
import sys
import tempfile
import traceback
from pathlib import Path

from tests.fuzzing import checkpoints, flag_files, genotypes, histories
from tests.fuzzing.running import fuzz

KINDS = (genotypes.KIND, flag_files.KIND, histories.KIND, checkpoints.KIND)


def main() -> int:
    """Runs every kind, and returns the exit status."""
    parser = argparse.ArgumentParser("tests.fuzz", description=__doc__)
    parser.add_argument("--examples", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**31))
    options = parser.parse_args()
    logging.getLogger("darts_tf").addHandler(logging.NullHandler())
    print(f"seed {options.seed}", flush=True)
    status = 0
    for kind in KINDS:
        with tempfile.TemporaryDirectory() as folder:
            try:
                told = str(fuzz(kind, Path(folder), options.examples, options.seed))
            except Exception:  # noqa: BLE001 - whatever it is, it is the finding
                traceback.print_exc()
                told, status = "FAILED", 1
        print(f"{kind.name}: {told}", flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
