"""A run's directory: the only owner of its file names, written atomically."""

import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, Self

from darts_tf.errors import DivergenceError, UserError, reason
from darts_tf.runs import continuing, extending
from darts_tf.runs.atomic import TEMPORARY, replacing
from darts_tf.runs.continuing import flag_values
from darts_tf.runs.description import Description
from darts_tf.runs.locks import locked
from darts_tf.runs.programs import OUTCOMES, Program, program_line, recorded_program
from darts_tf.runs.results import with_units

_logger = logging.getLogger(__name__)


class RunDirectory:
    """The files of one run of a program.

    Every file but the history and the log appears whole or not at all. What cannot be read or
    written raises `UserError` with a message that names `--run_dir`.

    Example:
        >>> run = RunDirectory("runs/digits", "search")
        >>> run.history.name, run.outcome.name
        ('history.jsonl', 'genotype.json')

    Args:
        path: Where the run is, or will be.
        program: `"search"`, finished by `genotype.json`; `"train"`, finished by `result.json`; or
            one with runs in folders of its directory: `"repeats"`, finished by `repeats.json`,
            `"tune"`, finished by `tuning.json`, `"random_search"`, finished by `genotype.json`,
            `"study"`, finished by `study.json`.

    Attributes:
        path: The directory.
        program: The program.
        config: The settings, as the lines of a flag file.
        images: The account of the images that were read.
        description: The texts of the settings and the edges of the space, for the page.
        history: One line of JSON for each epoch.
        genotype: The genotype, and how a search or a random search came to it.
        result: The errors and the cost of a training run.
        confusions: The classes that the network confuses.
        answers: The class that the network gives each test image, a NumPy file of whole numbers.
        model: The network for inference.
        report: The page of the run.
        tensorboard: The folder of TensorBoard's event files.
        checkpoints: The folder of checkpoints.
        best: The settings of the best trial of a tuning run, as the lines of a flag file.
        stop: The file by which a person ends the run.
        trials: The state of a tuning run.
        table: The table of a study under way.
        log: The log of the program.
        outcome: The file whose presence says that the run has finished.
    """

    def __init__(self, path: str | os.PathLike[str], program: Program) -> None:
        self.path = Path(path)
        self.program = program
        self.config = self.path / "config.flags"
        self.images = self.path / "images.json"
        self.description = self.path / "settings.json"
        self.history = self.path / "history.jsonl"
        self.genotype = self.path / "genotype.json"
        self.result = self.path / "result.json"
        self.vocabulary = self.path / "vocabulary.json"
        self.confusions = self.path / "confusions.json"
        self.answers = self.path / "answers.npy"
        self.model = self.path / "model.keras"
        self.report = self.path / "report.html"
        self.tensorboard = self.path / "tensorboard"
        self.checkpoints = self.path / "checkpoints"
        self.best = self.path / "best.flags"
        self.stop = self.path / "stop"
        self.trials = self.path / "trials.json"
        self.table = self.path / "table.json"
        self.log = self.path / f"{program}.log"
        self.outcome = self.path / OUTCOMES[program]
        self._notes: list[str] = []
        self._moved = ""
        self._extension: extending.Extension | None = None
        self._claimed_now = False
        self._made_now = False

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Self:
        """Returns the run in a directory, with the program that `config.flags` says made it.

        Args:
            path: The directory. In one of a release before 0.2, which wrote no program, the flags
                tell whose it is.

        Raises:
            UserError: If the directory is not that of a run.
        """
        run = cls(path, "search")
        with run.explained():
            is_run = run.config.is_file()
        if not is_run:
            raise UserError(
                f"{path}: expected the directory of a run, got one without {run.config.name}"
            )
        return cls(path, run._recorded_program())

    def settings(self) -> dict[str, str]:
        """Returns the settings of the run by name, in the order of `config.flags`."""
        flags = flag_values(self.read_text(self.config).splitlines())
        return {name.removeprefix("--"): value for name, value in flags.items()}

    def extensions(self) -> tuple[str, ...]:
        """Returns the numbers of epochs that the run was extended by, such as `from 60 to 80`."""
        return extending.extensions(self.read_text(self.config))

    def repeat(self, seed: int) -> Path:
        """Returns the run directory of a repeat, or of a training of a random search.

        Args:
            seed: The seed of the training run.
        """
        return self.path / f"seed_{seed}"

    def trial(self, name: str) -> Path:
        """Returns the folder of a trial of a tuning run, which holds a search and a training.

        Args:
            name: The id of the trial.
        """
        return self.path / "trials" / name

    def search_of(self, method: str, seed: int) -> Path:
        """Returns the run directory of a search of a study.

        Args:
            method: The name of the method in the study.
            seed: The seed of the search.
        """
        return self.path / "searches" / f"{method}_{seed}"

    def network_of(self, digest: str) -> Path:
        """Returns the folder of the training runs of a cell of a study.

        Args:
            digest: The digest of the genotype.
        """
        return self.path / "networks" / digest

    def claim(
        self, flag_lines: Sequence[str], defaults: Sequence[str] = (), extend: bool = False
    ) -> Literal["new", "unfinished", "finished"]:
        """Takes the directory for the run with these flags; doing so twice changes nothing.

        Args:
            flag_lines: All settings of the run, `--name=value` each.
            defaults: The same of the program's default settings: a flag that the run there was
                made without, by an earlier release, counts as its default.
            extend: Whether a run with fewer epochs, which may have finished, goes on with those of
                `flag_lines`, from its last checkpoint. It stays as it is until `resume`, or
                `extend`, which come after its images have been compared.

        Returns:
            "finished" when the run has ended, "unfinished" when it has a history, else "new".

        Raises:
            UserError: If the directory holds another run or something else, or cannot be written.
        """
        with self.explained():
            self._made_now = not self.path.exists()
            self.path.mkdir(parents=True, exist_ok=True)
            if not os.access(self.path, os.W_OK | os.X_OK):
                raise PermissionError("no permission to write there")
            if self.config.exists():
                now = flag_values(flag_lines)
                self._check_same(now, flag_values(defaults), extend)
                if extend:
                    self._extension = extending.extension(self, now)
            elif foreign := sorted(
                entry.name for entry in self.path.iterdir() if not _is_temporary(entry)
            ):
                raise UserError(
                    f"--run_dir={self.path}: expected an empty or new directory or that of a run, "
                    f"got one with '{foreign[0]}' and without {self.config.name}"
                )
            else:
                lines = (program_line(self.program), *flag_lines)
                self.write_text(self.config, "".join(f"{line}\n" for line in lines))
                self._claimed_now = True
            if self.finished():
                if self._moved:
                    _logger.info(
                        "%s: %s: not read, as this run is finished", self.path, self._moved
                    )
                return "finished"
            started = self.history.exists() and self.history.stat().st_size > 0
        return "unfinished" if started else "new"

    def finished(self) -> bool:
        """Returns whether the run has ended, and is not to be extended."""
        return self.outcome.exists() and self._extension is None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Holds the directory for this process, until the context ends or the process does.

        A finished run is held by nobody: processes may read it together. So is a directory on a
        file system without locks.

        Raises:
            UserError: If another process holds it.
        """
        if self.finished():
            yield
            return
        with self.explained():
            folder = os.open(self.path, os.O_RDONLY)
        try:
            try:
                free = locked(folder)
            except OSError as error:
                _logger.info("%s: not locked: %s", self.path, error.strerror)
                free = True
            if not free:
                raise UserError(
                    f"--run_dir={self.path}: expected a directory in which no other process runs, "
                    "got one with a run under way"
                )
            yield
        finally:
            os.close(folder)

    @contextmanager
    def left_as_it_was(self) -> Iterator[None]:
        """Gives a new run's directory back if a `UserError` refuses the run before it has begun.

        A corrected command then works in the same directory.

        Raises:
            UserError: The same error.
        """
        try:
            yield
        except DivergenceError:
            raise
        except UserError:
            if self._claimed_now:
                self._give_back()
            raise

    def _give_back(self) -> None:
        """Removes the files of a claimed directory, unless the run has left something in it."""
        claimed = (self.config, self.description, self.images, self.log)
        with self.explained():
            entries = list(self.path.iterdir())
            if any(entry not in claimed and not _is_temporary(entry) for entry in entries):
                return
            for entry in entries:
                entry.unlink()
            if self._made_now:
                self.path.rmdir()

    def describe(self, description: Description) -> None:
        """Writes the description of the run, for its page; doing so twice changes nothing.

        Args:
            description: Of the run that has claimed the directory.

        Raises:
            UserError: If the run there searches a space with other edges.
        """
        if self.description.exists():
            recorded = self.described()
            wiring = recorded and recorded.wiring
            if wiring and wiring != description.wiring:
                raise UserError(
                    f"--run_dir={self.path}: expected the search space of the run there or another "
                    "directory, got one of that name with other edges"
                )
        elif not self.outcome.exists():
            self.write_json(self.description, description.to_dict())

    def described(self) -> Description | None:
        """Returns the description of the run, None for a run that has written none.

        Raises:
            UserError: If the file is damaged.
        """
        if not self.description.exists():
            return None
        content = self.read_json(self.description)
        try:
            return Description.from_dict(content)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise UserError(
                f"--run_dir={self.path}: {self.description.name}: expected the settings of a run, "
                f"got {type(error).__name__}: {error}"
            ) from error

    def extend(self) -> None:
        """Extends a run that was claimed with more epochs: renames its outcome, records the number.

        Without such a claim nothing changes.
        """
        if self._extension is not None:
            if note := extending.extend(self, self._extension):
                self._notes.append(note)
            self._extension = None

    def resume(self, epoch: int, step: int = 0) -> list[dict[str, Any]]:
        """Makes an unfinished run ready to be resumed; a new run is ready as it is.

        Removes what a run that was killed has left over: half-written files, and lines of the
        history from `epoch` on. A run that is to be extended is extended.

        Args:
            epoch: The epoch to resume with.
            step: The number of its steps that are done.

        Returns:
            The lines of the history before that epoch.

        Raises:
            UserError: If the history has fewer.
        """
        self.extend()
        lines = self.read_history()
        if len(lines) < epoch:
            raise UserError(
                f"--run_dir={self.path}: expected {epoch} epochs in {self.history.name}, as many "
                f"as before the last checkpoint, got {len(lines)}"
            )
        with self.explained():
            for folder in (self.path, self.checkpoints):
                for entry in folder.iterdir() if folder.is_dir() else ():
                    if _is_temporary(entry):
                        entry.unlink()
            if self.history.exists():
                kept = "".join(f"{_json('', line, None)}\n" for line in lines[:epoch])
                self.write_text(self.history, kept)
            for note in self._notes:
                _logger.info("%s: %s", self.path, note)
            if lines or step:
                _logger.info("%s: resumes with step %d of epoch %d", self.path, step, epoch)
        return lines[:epoch]

    def contents(self) -> dict[str, bytes]:
        """Returns the files of the run so far, for a copy of it: bytes by relative path."""
        files = [self.history, *(() if self._extension else (self.outcome, self.model))]
        with self.explained():
            if self.checkpoints.is_dir():
                files += self.checkpoints.iterdir()
            return {
                str(path.relative_to(self.path)): path.read_bytes()
                for path in files
                if path.is_file() and not _is_temporary(path)
            }

    def fill(self, contents: Mapping[str, bytes]) -> None:
        """Writes the files that `contents` of another directory returned.

        Args:
            contents: Bytes by relative path.

        Raises:
            UserError: If a name is not that of a run's file.
        """
        for name, content in contents.items():
            path = self.path / name
            if path not in (self.history, self.outcome, self.model) and (
                path.parent != self.checkpoints or Path(name).name in ("", ".", "..")
            ):
                raise UserError(f"expected the name of a run's file, got {name!r}")
            with self.writing(path) as temporary:
                temporary.write_bytes(content)

    def asked_to_stop(self) -> bool:
        """Returns whether a file named `stop` is in the directory, by which a person ends the run.

        It ends after the epoch under way. The file stays until the run has its outcome, so that a
        run that is killed meanwhile ends, too, when it is resumed.
        """
        with self.explained():
            return self.stop.is_file()

    def stop_is_done(self) -> None:
        """Removes the file named `stop`, if there is one, once the run has ended."""
        if self.asked_to_stop():
            with self.explained():
                self.stop.unlink()

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
        *lines, _ = self.read_text(self.history).split("\n")
        return [
            self._parse(line, f"{self.history.name}, line {number}")
            for number, line in enumerate(lines, start=1)
        ]

    def write_json(self, path: Path, value: Mapping[str, Any]) -> None:
        """Writes a file of this run, such as `self.result`, as JSON.

        Args:
            path: The file.
            value: A JSON object, all its numbers finite.
        """
        self.write_text(path, _json(path.name, value, indent=2) + "\n")

    def read_json(self, path: Path) -> dict[str, Any]:
        """Returns the JSON object in a file of this run.

        Args:
            path: The file, such as `self.result`.
        """
        return self._parse(self.read_text(path), path.name)

    def read_outcome(self) -> dict[str, Any]:
        """Returns the JSON object in the file that finishes the run, under today's names."""
        return with_units(self.read_json(self.outcome))

    def read_text(self, path: Path) -> str:
        """Returns the text of a file of this run; bytes that are no UTF-8 come back as written.

        Args:
            path: The file, such as `self.config`.
        """
        with self.explained():
            # As bytes: universal newlines would end lines elsewhere than `append_history` does.
            return path.read_bytes().decode("utf-8", errors="surrogateescape")

    def write_text(self, path: Path, text: str) -> None:
        """Writes a file of this run, such as `self.config`.

        Args:
            path: The file.
            text: What `read_text` is to return.
        """
        with self.writing(path) as temporary:
            temporary.write_text(text, encoding="utf-8", errors="surrogateescape")

    @contextmanager
    def writing(self, path: Path) -> Iterator[Path]:
        """Yields a temporary path, of the same suffix, whose file replaces `path` in the end.

        Args:
            path: A file of this run, such as `self.model`.
        """
        with self.explained():
            path.parent.mkdir(exist_ok=True)
            with replacing(path) as temporary:
                yield temporary

    def _recorded_program(self) -> Program:
        return recorded_program(self.read_text(self.config), str(self.config))

    def _check_same(
        self, now: Mapping[str, str], defaults: Mapping[str, str], extend: bool
    ) -> None:
        """Refuses flags that the run there may not be resumed with; notes the other differences."""
        recorded = flag_values(self.read_text(self.config).splitlines())
        program = self._recorded_program()
        other = [name for name in recorded if name not in now]
        if other or (program != self.program and recorded.keys() != now.keys()):
            flag = f", with the flag {other[0]}" if other else ""
            raise UserError(
                f"--run_dir={self.path}: expected the directory of a run of {self.program}, got "
                f"that of another program, {program}{flag}"
            )
        later = {name: defaults[name] for name in now if name in defaults and name not in recorded}
        recorded = {**later, **recorded}
        # The checkpoint of an unfinished run identifies its images; a finished run reads none.
        images_recorded = self.outcome.exists() or self.checkpoints.is_dir()
        difference = continuing.check(
            f"--run_dir={self.path}", recorded, now, images_recorded, extend, tuple(later)
        )
        self._moved = continuing.described(recorded, now, difference.places)
        self._notes = []
        if difference.threads:
            threads = continuing.described(recorded, now, (continuing.THREADS,))
            self._notes.append(f"{threads}: the last bits of what follows may differ")
        if self._moved:
            self._notes.append(f"{self._moved}: the images are compared by content")

    def _parse(self, text: str, where: str) -> dict[str, Any]:
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise UserError(
                f"--run_dir={self.path}: {where}: expected JSON, got {_short(text)} ({error})"
            ) from error
        if not isinstance(value, dict):
            raise UserError(
                f"--run_dir={self.path}: {where}: expected a JSON object, got {_short(text)}"
            )
        return value

    @contextmanager
    def explained(self, what: str = "") -> Iterator[None]:
        """Turns an error of the operating system into one line that says where it happened.

        Args:
            what: The part of the directory; the whole directory when empty.

        Raises:
            UserError: In place of an OSError.
        """
        try:
            yield
        except OSError as error:
            why = reason(error, "expected a directory that can be read and written")
            where = f"{self.path}: {what}" if what else self.path
            raise UserError(f"--run_dir={where}: {why}") from error


def _json(where: str, value: Mapping[str, Any], indent: int | None) -> str:
    try:
        return json.dumps(value, indent=indent, allow_nan=False)
    except ValueError as error:
        raise UserError(f"{where}: expected finite numbers ({error})") from error


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:37]}...")


def _is_temporary(path: Path) -> bool:
    return path.name.startswith(TEMPORARY)
