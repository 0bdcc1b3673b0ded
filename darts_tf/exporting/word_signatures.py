"""The signatures of a SavedModel of a language model: from words to the words after them."""

import os
from typing import Any, NamedTuple

import tensorflow as tf

from darts_tf.exporting.request_checks import checked, finite, refused_where
from darts_tf.exporting.signatures import names_table

WORDS = "serving_default"
CONTINUED = "serving_continue"
IDS = "serving_ids"
# What a word is read as that the vocabulary lacks, if it has this one.
UNKNOWN = "<unk>"
# Fills a row up to the length of the others; no word of a text is empty.
NO_WORD = ""


class _Read(NamedTuple):
    """Where the reading of rows of words stands.

    Attributes:
        column: The number of the next column.
        scores: The scores of the word after each row's last one, [batch, vocabulary].
        state: The hidden states, [batch, size].
        loss: The negative logarithms of the words' scores, summed up, float64 [batch].
        words: The number of words of each row so far, int32 [batch].
    """

    column: tf.Tensor
    scores: tf.Tensor
    state: tf.Tensor
    loss: tf.Tensor
    words: tf.Tensor


def word_signatures(
    step: Any, vocabulary: str | os.PathLike[str]
) -> tuple[tf.Module, dict[str, Any]]:
    """Returns the arguments of `tf.saved_model.save` for a language model.

    `serving_default` takes `words`, string [batch, steps], the beginnings of texts, and reads them
    from the hidden state of zeros on. `serving_continue` takes `state`, float32 [batch, size], too,
    and reads on from there. Both return `scores`, float32 [batch, vocabulary], the probability that
    each word of the vocabulary comes next; `label`, string [batch], the most probable one;
    `next_state`, float32 [batch, size]; and `perplexity`, float32 [batch], of all words of a row
    but the first, 1 where there are none.

    An empty string is no word: it is skipped, so that rows of different lengths fit into a batch. A
    word that is not in the vocabulary is read as `<unk>` where the vocabulary has that, and is an
    error otherwise. So is a row without a word.

    `serving_ids` takes `word`, int32 [batch], numbers of words, and `state`, and returns `scores`
    and `next_state`, as the model itself does.

    Args:
        step: A `tf.function` from `word` and `state` to `scores` and `next_state`, whose
            `input_signature` is fixed.
        vocabulary: A text file with one word a line.

    Returns:
        A module that holds the vocabulary, and the signatures by name.
    """
    word_spec, state_spec = step.input_signature
    words_spec = tf.TensorSpec((None, None), tf.string, name="words")
    concrete = step.get_concrete_function()
    size = concrete.structured_outputs["scores"].shape[1]
    module = tf.Module()
    module.names = names_table(vocabulary)
    module.numbers = _numbers_table(vocabulary)

    def answer(words: tf.Tensor, state: tf.Tensor) -> dict[str, tf.Tensor]:
        is_word = tf.not_equal(words, NO_WORD)
        numbers = tf.cast(module.numbers.lookup(words), tf.int32)
        unknown = tf.cast(module.numbers.lookup(tf.constant(UNKNOWN)), tf.int32)
        numbers = tf.where(numbers < 0, unknown, numbers)
        numbers = refused_where(
            is_word & (numbers < 0), numbers, "words: expected words of the vocabulary"
        )
        has_words = tf.reduce_any(is_word, 1)
        state = refused_where(~has_words, state, "words: expected a word in each row")
        read = _read(step, tf.maximum(numbers, 0), is_word, state, size)
        predicted = tf.cast(tf.maximum(read.words - 1, 0), tf.float64)
        mean = tf.math.divide_no_nan(read.loss, predicted)
        return {
            "scores": read.scores,
            "label": module.names.lookup(tf.argmax(read.scores, 1)),
            "next_state": read.state,
            "perplexity": tf.cast(tf.exp(mean), tf.float32),
        }

    @tf.function(input_signature=[words_spec], autograph=False)
    def begin(words: tf.Tensor) -> dict[str, tf.Tensor]:
        words = checked(words, words_spec.shape, "words")
        return answer(words, tf.zeros((tf.shape(words)[0], state_spec.shape[1])))

    @tf.function(input_signature=[words_spec, state_spec], autograph=False)
    def go_on(words: tf.Tensor, state: tf.Tensor) -> dict[str, tf.Tensor]:
        words = checked(words, words_spec.shape, "words")
        return answer(words, finite(checked(state, state_spec.shape, "state"), "state"))

    @tf.function(input_signature=[word_spec, state_spec], autograph=False)
    def of_ids(word: tf.Tensor, state: tf.Tensor) -> dict[str, tf.Tensor]:
        word = checked(word, word_spec.shape, "word")
        wrong = (word < 0) | (word >= size)
        word = refused_where(wrong, word, f"word: expected numbers from 0 to {size - 1}")
        state = finite(checked(state, state_spec.shape, "state"), "state")
        return dict(step(tf.clip_by_value(word, 0, size - 1), state))

    return module, {WORDS: begin, CONTINUED: go_on, IDS: of_ids}


def _read(
    step: Any, numbers: tf.Tensor, is_word: tf.Tensor, state: tf.Tensor, vocabulary: int
) -> _Read:
    """Reads rows of words from given hidden states on."""
    batch = tf.shape(numbers)[0]
    tiniest = tf.constant(tf.float32.as_numpy_dtype(1e-38))

    def read_column(*before: tf.Tensor) -> _Read:
        read = _Read(*before)
        word, here = numbers[:, read.column], is_word[:, read.column]
        score = tf.maximum(tf.gather(read.scores, word, batch_dims=1), tiniest)
        loss = -tf.math.log(tf.cast(score, tf.float64))
        found = step(word, read.state)
        return _Read(
            read.column + 1,
            tf.where(here[:, tf.newaxis], found["scores"], read.scores),
            tf.where(here[:, tf.newaxis], found["next_state"], read.state),
            read.loss + tf.where(here & (read.words > 0), loss, tf.zeros_like(loss)),
            read.words + tf.cast(here, tf.int32),
        )

    start = _Read(
        tf.constant(0),
        tf.zeros((batch, vocabulary)),
        state,
        tf.zeros((batch,), tf.float64),
        tf.zeros((batch,), tf.int32),
    )
    columns = tf.shape(numbers)[1]
    return _Read(*tf.while_loop(lambda column, *_: column < columns, read_column, start))


def _numbers_table(vocabulary: str | os.PathLike[str]) -> tf.lookup.StaticHashTable:
    lines = tf.lookup.TextFileInitializer(
        os.fspath(vocabulary),
        tf.string,
        tf.lookup.TextFileIndex.WHOLE_LINE,
        tf.int64,
        tf.lookup.TextFileIndex.LINE_NUMBER,
    )
    return tf.lookup.StaticHashTable(lines, default_value=-1)
