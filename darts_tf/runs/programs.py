"""The programs that make runs: what finishes a run of each, and how a run says which made it."""

import re
from collections.abc import Mapping
from typing import Literal, get_args

from darts_tf.errors import UserError, nearest
from darts_tf.runs.continuing import flag_values

Program = Literal["search", "train", "repeats", "tune", "random_search", "study"]
OUTCOMES: Mapping[Program, str] = {
    "search": "genotype.json",
    "train": "result.json",
    "repeats": "repeats.json",
    "tune": "tuning.json",
    "random_search": "genotype.json",
    "study": "study.json",
}
_RECORDED = re.compile(r"# program: (\S+)")


def program_line(program: Program) -> str:
    """Returns the first line of `config.flags`, which is a comment where flags are read."""
    return f"# program: {program}"


def recorded_program(config: str, where: str) -> Program:
    """Returns the program that made a run.

    Args:
        config: The text of its `config.flags`. In one of a release before 0.2, which wrote no
            program, the flags tell.
        where: The path of that file, for messages.

    Raises:
        UserError: If the recorded name is not that of a program.
    """
    match = _RECORDED.fullmatch(config.partition("\n")[0].rstrip())
    if match is None:
        return _by_flags(flag_values(config.splitlines()))
    programs = get_args(Program)
    if match[1] not in programs:
        raise UserError(
            f"{where}: expected a program of {', '.join(programs)}, got '{match[1]}'."
            f"{nearest(match[1], programs)}"
        )
    return match[1]  # type: ignore[return-value]


def _by_flags(flags: Mapping[str, str]) -> Program:
    """Returns the program of a run of a release that did not record it."""
    if "--tuner" in flags:
        return "tune"
    if "--samples" in flags:
        return "random_search"
    if "--genotype" not in flags:
        return "search"
    return "train" if flags.get("--repeats", "1") == "1" else "repeats"
