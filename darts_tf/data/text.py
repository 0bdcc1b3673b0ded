"""A text as a split of a data set: windows of words, in rows that go on from batch to batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from darts_tf.data.split import Split
from darts_tf.errors import UserError


@dataclass(frozen=True, eq=False)
class TextSplit(Split):
    """A text whose examples are windows of words, as AWD-LSTM and DARTS cut them.

    As a sequence it has its words for examples. `arranged` cuts it into as many rows as a batch
    has, each a stretch of the text, and the rows into windows: batch k has window k of every row,
    so that a hidden state goes on from each batch to the next. What is left over at the end of the
    text, and of each row, belongs to no window.

    An example is the number of the text, the number of the window in its row, and the words; its
    label is, for each word, the next one.

    Args:
        words: Numbers of the words, int32 [words].
        stream: Number of the text, by which hidden states of several texts are kept apart.
        valid: The text to validate on that belongs to a text to train on.
        rows: Rows of a batch; 0 as long as the text is not arranged.
        window: Words of a window.

    Example:

        >>> import numpy as np
        >>> text = TextSplit(np.arange(12, dtype=np.int32)).arranged(batch_size=2, window=2)
        >>> len(text), text.shape
        (4, (4,))
        >>> text.windows(np.arange(4))[0].tolist()
        [[0, 0, 0, 1], [0, 0, 6, 7], [0, 1, 2, 3], [0, 1, 8, 9]]
    """

    in_order: ClassVar[bool] = True

    words: np.ndarray
    stream: int = 0
    valid: TextSplit | None = None
    rows: int = 0
    window: int = 0

    def __len__(self) -> int:
        return self.rows * self._windows if self.rows else len(self.words)

    @property
    def shape(self) -> tuple[int]:  # type: ignore[override]
        """The length of an example."""
        return (2 + self.window,)

    @property
    def _windows(self) -> int:
        """The number of windows in a row, which has one word more than its windows."""
        return (len(self.words) // self.rows - 1) // self.window

    def content(self) -> tuple[np.ndarray, ...]:
        """Returns the words, and those of the text to validate on."""
        return (self.words, *(self.valid.content() if self.valid is not None else ()))

    def take(self, indices: Sequence[int] | slice | np.ndarray) -> Self:
        """Returns the text of the words at `indices`, in their order."""
        return replace(self, words=self.words[indices], valid=None, rows=0, window=0)

    def stretch(self, part: slice) -> Self:
        """Returns a part of the text, with the whole text to validate on."""
        return replace(self.take(part), valid=self.valid)

    def portions(
        self, train_portion: float, valid_portion: float = 0.0, by: str = "order"
    ) -> tuple[Self, Self]:
        """Returns the text and the text to validate on, whatever the portions.

        Raises:
            UserError: If there is no text to validate on.
        """
        del train_portion, valid_portion, by
        if self.valid is None:
            raise UserError("dataset: expected a text with another one to validate on, got one")
        return replace(self, valid=None), self.valid  # type: ignore[return-value]

    def arranged(self, batch_size: int, window: int) -> Self:
        """Cuts the text into rows and windows.

        Args:
            batch_size: The number of rows.
            window: The number of words in a window.

        Raises:
            UserError: If the text is too short for a window in each row.
        """
        if len(self.words) < batch_size * (window + 1):
            raise UserError(
                f"batch_size: expected rows of more than text_bptt={window} words, got "
                f"{batch_size} rows of a text of {len(self.words):,}"
            )
        return replace(self, rows=batch_size, window=window)

    def windows(self, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns examples and their labels.

        Args:
            positions: Which ones; example p is window p // rows of row p % rows.

        Returns:
            int32 [examples, 2 + words] and int32 [examples, words].
        """
        length = len(self.words) // self.rows
        places = positions // self.rows
        first = positions % self.rows * length + places * self.window
        words = self.words[first[:, None] + np.arange(self.window + 1)]
        head = np.stack([np.full_like(places, self.stream), places], 1)
        return np.concatenate([head, words[:, :-1]], 1).astype(np.int32), words[:, 1:]

    def batches(
        self, positions: np.ndarray, batch_size: int, seeds: np.ndarray, *, crop: bool
    ) -> Any:
        """Makes batches of windows in place of images: see `Split.batches`.

        Raises:
            UserError: If a batch has another number of rows than the text is cut into.
        """
        import tensorflow as tf

        del crop
        if batch_size != self.rows:
            raise UserError(
                f"method: expected batches of batch_size={self.rows} rows in each epoch of a text, "
                f"got {batch_size}"
            )
        windows, labels = self.windows(positions)
        return tf.data.Dataset.zip(
            tf.data.Dataset.from_tensor_slices((windows, labels)).batch(batch_size),
            tf.data.Dataset.from_tensor_slices(seeds),
        ).map(lambda window, seed: (*window, seed))
