"""A run's directory: the only owner of its file names, written atomically."""

import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, Self

from darts_tf.errors import UserError, reason
from darts_tf.runs.atomic import TEMPORARY, replacing

_logger = logging.getLogger(__name__)
_OUTCOMES = {
    "search": "genotype.json",
    "train": "result.json",
    "repeats": "repeats.json",
    "tune": "tuning.json",
    "random_search": "genotype.json",
}
Program = Literal["search", "train", "repeats", "tune", "random_search"]


class RunDirectory:
    """The files of one run of a program.

    Every file but the history and the log appears whole or not at all. What cannot be read or
    written raises `UserError` with a message that names `--run_dir`.

    Args:
        path: Where the run is, or will be.
        program: `"search"`, finished by `genotype.json`, `"train"`, finished by `result.json`, or
            one of runs in folders of their own: `"repeats"`, finished by `repeats.json`, `"tune"`,
            finished by `tuning.json`, `"random_search"`, finished by `genotype.json`.
    """

    def __init__(self, path: str | os.PathLike[str], program: Program) -> None:
        self.path = Path(path)
        self.program = program
        self.config = self.path / "config.flags"
        self.history = self.path / "history.jsonl"
        self.genotype = self.path / "genotype.json"
        self.result = self.path / "result.json"
        self.confusions = self.path / "confusions.json"
        self.model = self.path / "model.keras"
        self.report = self.path / "report.html"
        self.tensorboard = self.path / "tensorboard"
        self.checkpoints = self.path / "checkpoints"
        self.best = self.path / "best.flags"
        self.trials = self.path / "trials.json"
        self.log = self.path / f"{program}.log"
        self.outcome = self.path / _OUTCOMES[program]

    @classmethod
    def found(cls, path: str | os.PathLike[str]) -> Self:
        """Returns the run that is in a directory, whichever program's it is.

        Raises:
            UserError: If the directory is not a run's.
        """
        run = cls(path, "search")
        with run.explained():
            there = run.config.is_file()
        if not there:
            raise UserError(
                f"{path}: not the directory of a run: there is no {run.config.name}; a directory "
                "that a search or a training has written is right"
            )
        settings = run.settings()
        if "genotype" not in settings:
            return run
        return cls(path, "train" if settings.get("repeats", "1") == "1" else "repeats")

    def settings(self) -> dict[str, str]:
        """Returns the settings of the run by name, in the order of `config.flags`."""
        flags = _flags(self._text(self.config).splitlines())
        return {name.removeprefix("--"): value for name, value in flags.items()}

    def repeat(self, seed: int) -> Path:
        """Returns the run directory of one of the repeats, or of a random search's trainings."""
        return self.path / f"seed_{seed}"

    def trial(self, name: str) -> Path:
        """Returns the folder of one of a tune's trials, a search and a training."""
        return self.path / "trials" / name

    def claim(self, flag_lines: Sequence[str]) -> Literal["new", "unfinished", "finished"]:
        """Takes the directory for the run with these flags; doing so twice changes nothing.

        Args:
            flag_lines: All settings of the run, `--name=value` each.

        Returns:
            "finished" when the run has ended, "unfinished" when it has a history, else "new".

        Raises:
            UserError: If the directory holds another run or something else, or cannot be written.
        """
        with self.explained():
            self.path.mkdir(parents=True, exist_ok=True)
            if not os.access(self.path, os.W_OK | os.X_OK):
                raise PermissionError("no permission to write there")
            if self.config.exists():
                self._check_same(_flags(self._text(self.config).splitlines()), _flags(flag_lines))
            elif foreign := sorted(
                entry.name for entry in self.path.iterdir() if not _is_temporary(entry)
            ):
                raise UserError(
                    f"--run_dir={self.path}: not the directory of a run: it holds '{foreign[0]}' "
                    "but no config.flags; an empty or new directory is right"
                )
            else:
                with self.writing(self.config) as temporary:
                    _write(temporary, "".join(f"{line}\n" for line in flag_lines))
            if self.outcome.exists():
                return "finished"
            started = self.history.exists() and self.history.stat().st_size > 0
        return "unfinished" if started else "new"

    def go_on(self, epoch: int, step: int = 0) -> list[dict[str, Any]]:
        """Makes an unfinished run ready to go on, and logs where; a new run is ready as it is.

        What a run that was killed has left over goes: half-written files, and lines of the history
        from `epoch` on.

        Args:
            epoch: The epoch to go on with.
            step: The steps of it that are done.

        Returns:
            The lines of the history before that epoch.

        Raises:
            UserError: If the history has fewer.
        """
        lines = self.read_history()
        if len(lines) < epoch:
            raise UserError(
                f"--run_dir={self.path}: {self.history.name} has {len(lines)} epochs, the last "
                f"checkpoint {epoch}; a directory that nobody has edited is right"
            )
        with self.explained():
            for folder in (self.path, self.checkpoints):
                for entry in folder.iterdir() if folder.is_dir() else ():
                    if _is_temporary(entry):
                        entry.unlink()
            if self.history.exists():
                kept = "".join(f"{_json('', line, None)}\n" for line in lines[:epoch])
                with self.writing(self.history) as temporary:
                    _write(temporary, kept)
            if lines or step:
                _logger.info("%s: goes on with step %d of epoch %d", self.path, step, epoch)
        return lines[:epoch]

    def contents(self) -> dict[str, bytes]:
        """Returns what the run has so far, by path in the directory, for a copy of it."""
        files = [self.history, self.outcome, self.model]
        with self.explained():
            if self.checkpoints.is_dir():
                files += self.checkpoints.iterdir()
            return {
                str(path.relative_to(self.path)): path.read_bytes()
                for path in files
                if path.is_file() and not _is_temporary(path)
            }

    def fill(self, contents: Mapping[str, bytes]) -> None:
        """Writes what `contents` of another directory returned.

        Raises:
            UserError: If a name is not one of a run's files.
        """
        for name, content in contents.items():
            path = self.path / name
            if path not in (self.history, self.outcome, self.model) and (
                path.parent != self.checkpoints or Path(name).name in ("", ".", "..")
            ):
                raise UserError(f"{name!r}: not the name of a run's file")
            with self.writing(path) as temporary:
                temporary.write_bytes(content)

    def append_history(self, line: Mapping[str, Any]) -> None:
        """Adds one line to the history and waits until it is on the disk.

        Args:
            line: A JSON object, all its numbers finite.
        """
        text = _json(self.history.name, line, indent=None)
        with self.explained(), self.history.open("a+b") as file:
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)
            file.write(text.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def read_history(self) -> list[dict[str, Any]]:
        """Returns the lines of the history; a last line that was cut off is left out."""
        if not self.history.exists():
            return []
        *lines, _ = self._text(self.history).split("\n")
        return [
            self._parsed(line, f"{self.history.name}, line {number}")
            for number, line in enumerate(lines, start=1)
        ]

    def write_json(self, path: Path, value: Mapping[str, Any]) -> None:
        """Writes a file of this run, such as `self.result`, as JSON.

        Args:
            path: The file.
            value: A JSON object, all its numbers finite.
        """
        text = _json(path.name, value, indent=2) + "\n"
        with self.writing(path) as temporary:
            _write(temporary, text)

    def read_json(self, path: Path) -> dict[str, Any]:
        """Returns the JSON object in a file of this run."""
        return self._parsed(self._text(path), path.name)

    @contextmanager
    def writing(self, path: Path) -> Iterator[Path]:
        """Yields a temporary name, of the same suffix, that becomes `path` once the block is done.

        Args:
            path: A file of this run, such as `self.model`.
        """
        with self.explained():
            path.parent.mkdir(exist_ok=True)
            with replacing(path) as temporary:
                yield temporary

    def _check_same(self, there: dict[str, str], now: dict[str, str]) -> None:
        unknown = [name for name in there if name not in now]
        if unknown:
            raise UserError(
                f"--run_dir={self.path}: the directory of another program's run, with the flag "
                f"{unknown[0]} that this one does not have; another directory is right"
            )
        differing = [
            f"{name} ({there.get(name, 'absent') or 'empty'} there, {value or 'empty'} now)"
            for name, value in now.items()
            if there.get(name) != value
        ]
        if differing:
            raise UserError(
                f"--run_dir={self.path}: a run with other flags: {', '.join(differing)}; the same "
                "flags or another directory are right"
            )

    def _text(self, path: Path) -> str:
        with self.explained():
            # As bytes, so that a line ends where whoever adds the next one sees its end.
            return path.read_bytes().decode("utf-8", errors="surrogateescape")

    def _parsed(self, text: str, where: str) -> dict[str, Any]:
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise UserError(f"--run_dir={self.path}: {where} is not JSON ({error})") from error
        if not isinstance(value, dict):
            raise UserError(f"--run_dir={self.path}: {where} is not a JSON object")
        return value

    @contextmanager
    def explained(self, what: str = "") -> Iterator[None]:
        """Says in one line what the system has against reading or writing here.

        Args:
            what: The part of the directory; the whole of it when empty.

        Raises:
            UserError: In place of an OSError.
        """
        try:
            yield
        except OSError as error:
            why = reason(error, "a directory that can be read and written is right")
            where = f"{self.path}: {what}" if what else self.path
            raise UserError(f"--run_dir={where}: {why}") from error


def _flags(lines: Sequence[str]) -> dict[str, str]:
    pairs = (line.partition("=") for line in lines if line.startswith("--"))
    return {name: value for name, _, value in pairs}


def _json(where: str, value: Mapping[str, Any], indent: int | None) -> str:
    try:
        return json.dumps(value, indent=indent, allow_nan=False)
    except ValueError as error:
        raise UserError(f"{where}: holds finite numbers only ({error})") from error


def _is_temporary(path: Path) -> bool:
    return path.name.startswith(TEMPORARY)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", errors="surrogateescape")
