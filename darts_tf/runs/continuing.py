"""Which flags a run may go on with: those that it began with, and what may differ from them."""

from collections.abc import Mapping
from dataclasses import dataclass

EPOCHS = "--epochs"
THREADS = "--threads"
# What says where the images are. Other images are refused by their content.
_PLACES = ("--dataset", "--data_dir")


@dataclass(frozen=True)
class Difference:
    """How the flags of now differ from those of a run.

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
    longer = EPOCHS in names and _number(recorded, EPOCHS) < _number(now, EPOCHS)
    settled = (*places, THREADS, *((EPOCHS,) if longer else ()))
    return Difference(
        tuple(name for name in names if name not in settled),
        tuple(places),
        THREADS in names,
        longer,
    )


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
    there, here = recorded[name], now[name]
    source = there.partition(":")[0]
    return name != "--dataset" or (":" in there and here.startswith(f"{source}:"))


def _number(flags: Mapping[str, str], name: str) -> int:
    text = flags.get(name, "")
    return int(text) if text.isascii() and text.isdigit() else 0
