"""The form of an exported model: what differs between models of images and of words."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import tensorflow as tf


class Form:
    """What the exports need to know of a kind of model; each kind is a subclass.

    Attributes:
        classes: The number of classes, which for a language model are its words.
        names_file: The name of the file of the classes' names in an export.
        about: A sentence on the model, for the ONNX file.
    """

    classes: int
    names_file: ClassVar[str]
    about: ClassVar[str]

    @classmethod
    def of(cls, model: Any) -> Self | None:
        """Returns the form of a model, None if it is of another kind.

        Args:
            model: Anything.

        Raises:
            UserError: If it is of this kind, but cannot be exported.
        """
        raise NotImplementedError

    def check_names(self, names: Sequence[str]) -> None:
        """Checks the classes' names beyond their number.

        Args:
            names: A name for each class.

        Raises:
            UserError: If they will not do.
        """

    def signatures(
        self, names_file: Path, result: Mapping[str, Any] | None
    ) -> tuple[tf.Module, dict[str, Any]]:
        """Returns the arguments of `tf.saved_model.save`.

        Args:
            names_file: A text file with a name for each class, one a line.
            result: The contents of `result.json`, None without one.
        """
        raise NotImplementedError

    def requests(self, size: int, names: Sequence[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yields a warm-up request for each signature: its name, and a `TensorProto` by input.

        Args:
            size: The size of the batch.
            names: A name for each class.
        """
        raise NotImplementedError

    def function(self, lite: bool) -> Any:
        """Returns the `tf.function` that is written into a single file.

        Its weights are constants, since the LiteRT converter turns Keras's variables into zeros.

        Args:
            lite: Whether requests are checked by the operations that LiteRT has.
        """
        raise NotImplementedError

    def facts(self) -> dict[str, Any]:
        """Returns the entries of the model card that the model gives; JSON."""
        raise NotImplementedError

    def metadata(self, names: Sequence[str]) -> dict[str, Any]:
        """Returns the metadata of the ONNX file; JSON.

        Args:
            names: A name for each class.
        """
        raise NotImplementedError
