"""The extension of a run: it goes on with more epochs, from its last checkpoint."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from darts_tf.errors import UserError, short
from darts_tf.runs.continuing import EPOCHS, epochs_of, flag_values

if TYPE_CHECKING:
    from darts_tf.runs.directory import RunDirectory

_EXTENDABLE = ("search", "train", "repeats")
# In `config.flags`, a comment of its own for each time that the run was extended.
_LINE = "# extended: from {} to {} epochs"
_RECORDED = re.compile(r"# extended: (from [0-9]+ to [0-9]+) epochs")


def extensions(config: str) -> tuple[str, ...]:
    """Returns the numbers of epochs that a run was extended by, such as `from 60 to 80`.

    Args:
        config: The text of its `config.flags`.
    """
    matches = map(_RECORDED.fullmatch, config.splitlines())
    return tuple(match[1] for match in matches if match)


@dataclass(frozen=True)
class Extension:
    """The plan to extend a run, which changes nothing yet.

    Attributes:
        done: The number of epochs that the run has had.
        recorded: The most epochs that it was to have.
        now: The most epochs that it is to have.
    """

    done: int
    recorded: int
    now: int


def extension(run: "RunDirectory", now: Mapping[str, str]) -> Extension | None:
    """Finds out how a run is to be extended.

    Args:
        run: The run, whose other flags are those of now.
        now: Values by flag; more epochs than the run has, or as many.

    Returns:
        The extension, None where there is nothing to extend.

    Raises:
        UserError: If it is a run of a program without epochs, has ended for another reason than
            its number of epochs, or has no checkpoint.
    """
    if run.program not in _EXTENDABLE:
        raise UserError(
            f"--run_dir={run.path}: expected a search or a training for --extend, got a run "
            f"of {run.program}"
        )
    has_history = run.history.exists()  # repeats leave it to their seeds
    flags = flag_values(run.read_text(run.config).splitlines())
    recorded = epochs_of(flags)
    if not recorded:
        got = short(flags.get(EPOCHS, ""))
        raise UserError(f"{run.config}: expected {EPOCHS} with a number, got {got}")
    done = len(run.read_history()) if has_history else recorded
    wanted = Extension(done, recorded, int(now[EPOCHS]))
    set_aside = run.outcome.exists() and done < wanted.now
    if set_aside and has_history:
        _check_extendable(run, done, recorded)
    return wanted if set_aside or recorded != wanted.now else None


def extend(run: "RunDirectory", extension: Extension) -> str:
    """Makes a finished run unfinished, and gives a run its number of epochs.

    The files of its outcome stay, with the number of epochs in their names.

    Args:
        run: The run.
        extension: As `extension` returns it.

    Returns:
        A note for the log; empty where the number of epochs has not changed.
    """
    done, recorded, now = extension.done, extension.recorded, extension.now
    if run.outcome.exists():
        for path in (run.model, run.confusions, run.outcome):  # the outcome last
            if path.exists():
                path.replace(path.with_name(f"{path.stem}-{done}-epochs{path.suffix}"))
    if recorded == now:
        return ""
    old, new = (f"{EPOCHS}={epochs}" for epochs in (recorded, now))
    changed = [new if line == old else line for line in run.read_text(run.config).splitlines()]
    changed.append(_LINE.format(recorded, now))
    run.write_text(run.config, "".join(f"{line}\n" for line in changed))
    return (
        f"extended from {recorded} to {now} epochs: learning rates follow the longer cosine from "
        "here on"
    )


def _check_extendable(run: "RunDirectory", done: int, epochs: int) -> None:
    """Refuses to extend a run that has ended for another reason than its number of epochs."""
    outcome = run.read_json(run.outcome)
    if done < epochs and "ended_by_hand" not in outcome:
        raise UserError(
            f"--run_dir={run.path}: expected a run that has had all of its {epochs} epochs "
            f"for --extend, got one that has ended after {done}: "
            f"{outcome.get('reason', 'it was stopped')}"
        )
    if not run.checkpoints.is_dir() or not any(run.checkpoints.iterdir()):
        raise UserError(
            f"--run_dir={run.path}: expected a checkpoint to extend the run from, got none"
        )
