"""The flags that a run may be resumed with: those that it began with, and what may differ."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from darts_tf.errors import UserError

EPOCHS = "--epochs"
THREADS = "--threads"
# The flags that say where the images are. Other images are refused by their content.
_PLACES = ("--dataset", "--data_dir")


@dataclass(frozen=True)
class Difference:
    """The differences between the flags of a command and those of the run that it resumes.

    Attributes:
        refused: Flags that may not differ.
        places: Flags that say where the images are, which may have moved.
        threads: Whether the number of threads differs, which is recorded but not compared.
        longer: Whether there are more epochs now.
    """

    refused: tuple[str, ...]
    places: tuple[str, ...]
    threads: bool
    longer: bool


def flag_values(lines: Sequence[str]) -> dict[str, str]:
    """Returns the values of flags by name, `--` included; lines that are no flags are left out.

    Example:
        >>> flag_values(["# program: search", "--epochs=60"])
        {'--epochs': '60'}

    Args:
        lines: `--name=value` each, or comments.
    """
    pairs = (line.partition("=") for line in lines if line.startswith("--"))
    return {name: value for name, _, value in pairs}


def compare(recorded: Mapping[str, str], now: Mapping[str, str]) -> Difference:
    """Compares the flags of now with those that a run began with.

    Example:
        >>> compare({"--epochs": "60", "--seed": "0"}, {"--epochs": "80", "--seed": "1"})
        Difference(refused=('--seed',), places=(), threads=False, longer=True)

    Args:
        recorded: Values by name, of the run.
        now: Values by name.
    """
    names = [name for name, value in now.items() if recorded.get(name) != value]
    places = [name for name in names if name in _PLACES and _same_source(recorded, now, name)]
    longer = EPOCHS in names and epochs_of(recorded) < epochs_of(now)
    settled = (*places, THREADS, *((EPOCHS,) if longer else ()))
    return Difference(
        tuple(name for name in names if name not in settled),
        tuple(places),
        THREADS in names,
        longer,
    )


def check(
    where: str,
    recorded: Mapping[str, str],
    now: Mapping[str, str],
    images_recorded: bool,
    extend: bool,
    later: Sequence[str] = (),
) -> Difference:
    """Refuses to go on with other flags than a run may go on with.

    Args:
        where: The run, for messages.
        recorded: Values by name, of the run.
        now: Values by name.
        images_recorded: Whether the run has recorded the content of its images, so that they may
            have moved.
        extend: Whether the run may be given more epochs.
        later: Flags that the release of the run lacked; `recorded` has the values it acted by.

    Returns:
        How the flags differ.

    Raises:
        UserError: If a flag differs that may not.
    """
    difference = compare(recorded, now)
    refused = (*difference.refused, *(() if images_recorded or extend else difference.places))
    if refused:
        refused = (*refused, *((EPOCHS,) if difference.longer else ()))
        names = tuple(name for name in now if name in refused)
        lines = " ".join(f"{name}={recorded.get(name)}" for name in names)
        earlier = f"; the run is of an earlier release, and goes on with {lines}"
        advice = earlier if set(names) <= set(later) else ""
        raise UserError(
            f"{where}: expected the flags of the run there or another directory, "
            f"got other flags: {described(recorded, now, names)}{advice}"
        )
    if difference.longer and not extend:
        raise UserError(
            f"{where}: expected --epochs={recorded[EPOCHS]}, as in the run "
            f"there, got {now[EPOCHS]}; --extend goes on from its last checkpoint with the "
            f"learning rates of a cosine over {now[EPOCHS]} epochs, which is not what a run "
            "of so many epochs from the start would give; that takes another directory"
        )
    return difference


def described(recorded: Mapping[str, str], now: Mapping[str, str], names: tuple[str, ...]) -> str:
    """Returns flags with both of their values, in words.

    Args:
        recorded: Values by name, of the run.
        now: Values by name.
        names: The flags.
    """
    return ", ".join(
        f"{name} ({recorded.get(name, 'absent') or 'empty'} there, {now[name] or 'empty'} now)"
        for name in names
    )


def _same_source(recorded: Mapping[str, str], now: Mapping[str, str], name: str) -> bool:
    """Returns whether a place is one of the same source: another path, or another `data_dir`."""
    if name not in recorded:
        return False
    before, after = recorded[name], now[name]
    source = before.partition(":")[0]
    return name != "--dataset" or (":" in before and after.startswith(f"{source}:"))


def epochs_of(flags: Mapping[str, str]) -> int:
    """Returns the number of epochs among flags, 0 where it is missing or no number.

    Args:
        flags: Values by name.
    """
    text = flags.get(EPOCHS, "")
    return int(text) if re.fullmatch("[0-9]{1,9}", text) else 0
