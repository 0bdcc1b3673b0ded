"""Exports of language models, one word at a time: a word and a hidden state in, scores out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from darts_tf.errors import UserError, short
from darts_tf.exporting.exportable import check_probabilities
from darts_tf.exporting.form import Form
from darts_tf.exporting.labels import as_bytes
from darts_tf.exporting.request_checks import of_equal_sizes
from darts_tf.exporting.word_signatures import CONTINUED, IDS, WORDS, word_signatures
from darts_tf.networks.complexity import multiply_adds, parameters

# Words that the check asks the model about.
_PROBES = 3


@dataclass(frozen=True)
class LanguageModel(Form):
    """A model as `darts_tf.networks.recurrent.inference_language_model` returns it.

    Args:
        model: The model, from the number of a word, int32 [batch], and the hidden state before it,
            float32 [batch, size], to the scores of the next word, float32 [batch, vocabulary], and
            the next hidden state, float32 [batch, size].
        classes: The number of words in the vocabulary.
        size: The size of the hidden state.
    """

    names_file: ClassVar[str] = "vocabulary.txt"
    about: ClassVar[str] = (
        "From a word's number and the hidden state before it to the scores of the next word and "
        "the next hidden state."
    )

    model: Any
    classes: int
    size: int

    @classmethod
    def of(cls, model: Any) -> "LanguageModel | None":
        """Returns the form of a language model, None for any other model.

        Raises:
            UserError: If its scores are no probabilities.
        """
        tensors: list[Any] = []
        for what in ("inputs", "outputs"):
            found = getattr(model, what, None)
            tensors += found if isinstance(found, list) and len(found) == 2 else ()
        if not isinstance(model, keras.Model) or len(tensors) != 4:
            return None
        word, before, scores, after = tensors
        if word.shape != (None,) or not str(word.dtype).startswith("int"):
            return None
        if len(before.shape) != 2 or before.shape != after.shape or len(scores.shape) != 2:
            return None
        if {before.dtype, after.dtype, scores.dtype} != {"float32"}:
            return None
        form = cls(model, int(scores.shape[1]), int(before.shape[1]))
        words = np.arange(_PROBES, dtype=np.int32) % form.classes
        state = np.zeros((_PROBES, form.size), np.float32)
        check_probabilities(model([words, state], training=False)[0], _PROBES, form.classes)
        return form

    def check_names(self, names: Sequence[str]) -> None:
        """Refuses a vocabulary with a word that stands twice: a table has its words for keys."""
        if len(set(names)) < len(names):
            twice = next(name for number, name in enumerate(names) if name in names[:number])
            raise UserError(f"labels: expected each word once, got {short(twice)} twice")

    def signatures(
        self, names_file: Path, result: Mapping[str, Any] | None
    ) -> tuple[tf.Module, dict[str, Any]]:
        """Returns the signatures of words, of words that go on, and of words' numbers."""
        del result
        # As tensors the weights are one copy for all signatures.
        return word_signatures(self._step(tf.constant), names_file)

    def requests(self, size: int, names: Sequence[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yields requests of one word each, the first one of the vocabulary."""
        words = tf.make_tensor_proto(as_bytes(names[0]), tf.string, (size, 1))
        zeros = tf.make_tensor_proto(0.0, tf.float32, (size, self.size))
        number = tf.make_tensor_proto(0, tf.int32, (size,))
        yield WORDS, {"words": words}
        yield CONTINUED, {"words": words, "state": zeros}
        yield IDS, {"word": number, "state": zeros}

    def function(self, lite: bool) -> Any:
        """Returns the model as a function of a word's number and a hidden state."""
        return self._step(np.asarray, lite)

    def _step(self, constant: Callable[[np.ndarray], Any], lite: bool = False) -> Any:
        """Returns the model as a function whose weights are constants of some kind."""
        values = [(variable, constant(variable.numpy())) for variable in self.model.variables]

        def step(word: tf.Tensor, state: tf.Tensor) -> dict[str, tf.Tensor]:
            if lite:
                word, state = of_equal_sizes(word, ()), of_equal_sizes(state, (self.size,))
            with keras.StatelessScope(state_mapping=values):
                scores, after = self.model([word, state], training=False)
            return {"scores": scores, "next_state": after}

        word = tf.TensorSpec((None,), tf.int32, name="word")
        state = tf.TensorSpec((None, self.size), tf.float32, name="state")
        return tf.function(step, input_signature=[word, state])

    def facts(self) -> dict[str, Any]:
        """Returns the numbers of words and of hidden units, and counts."""
        return {
            "words": self.classes,
            "size": self.size,
            "parameters": parameters(self.model),
            "multiply_adds_per_word": multiply_adds(self.model),
        }

    def metadata(self, names: Sequence[str]) -> dict[str, Any]:
        """Returns the words, and the size of the hidden state."""
        return {"words": list(names), "state_size": self.size}
