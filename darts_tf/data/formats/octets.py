"""Numbers inside an encoded file, read in TensorFlow's graph without copying the file."""

from collections.abc import Callable

import tensorflow as tf

# Parts of a file that are walked over at most, so that a malicious one ends.
_MOST_PARTS = 20_000


def octets(encoded: tf.Tensor, at: tf.Tensor | int, count: tf.Tensor | int) -> tf.Tensor:
    """Returns bytes of a file; zeros stand for those beyond its end.

    Args:
        encoded: The file, a string.
        at: Place of the first one, int32.
        count: How many, int32.

    Returns:
        uint8 [count].

    Example:
        >>> octets(tf.constant("abc"), 1, 3).numpy().tolist()
        [98, 99, 0]
    """
    at = tf.clip_by_value(at, 0, tf.strings.length(encoded))
    found = tf.io.decode_raw(tf.strings.substr(encoded, at, count), tf.uint8)
    found = tf.pad(found, [[0, count - tf.shape(found)[0]]])
    return tf.ensure_shape(found, [count if isinstance(count, int) else None])


def number(
    encoded: tf.Tensor, at: tf.Tensor | int, size: int, big: tf.Tensor | bool = False
) -> tf.Tensor:
    r"""Returns an unsigned number of a file.

    Args:
        encoded: The file, a string.
        at: Place of its first byte, int32.
        size: Its bytes, 4 at most.
        big: Whether the first byte is the highest.

    Returns:
        int64 [].

    Example:
        >>> int(number(tf.constant(b"\x01\x02"), 0, 2)), int(number(b"\x01\x02", 0, 2, True))
        (513, 258)
    """
    values = tf.cast(octets(encoded, at, size), tf.int64)
    little = [256**place for place in range(size)]
    high, low = (tf.constant(factors, tf.int64) for factors in (little[::-1], little))
    return tf.reduce_sum(values * tf.where(big, high, low))


def place(
    encoded: tf.Tensor, at: tf.Tensor | int, size: int, big: tf.Tensor | bool = False
) -> tf.Tensor:
    """Returns a number that is a length or a place in a file, int32, at most the file's length."""
    found = number(encoded, at, size, big)
    return tf.cast(tf.minimum(found, tf.cast(tf.strings.length(encoded), tf.int64)), tf.int32)


def matches(found: tf.Tensor, name: bytes) -> tf.Tensor:
    """Returns whether bytes are those of a name, bool [].

    Args:
        found: [bytes].
        name: As many bytes.
    """
    return tf.reduce_all(found == tf.constant(list(name), found.dtype))


def walk(
    follow: Callable[..., tuple[tf.Tensor, ...]], at: tf.Tensor | int, *found: tf.Tensor | int
) -> tuple[tf.Tensor, ...]:
    """Goes over the parts of a file, one after the other.

    Args:
        follow: From the place of a part, and what has been found before it, to the place of the
            next part, what has been found then, and whether this was the last part. It gets and
            ignores a bool at its end.
        at: Place of the first part.
        found: What stands for nothing found, int32 each.

    Returns:
        The place where the walk ended, and what has been found.
    """
    start = (tf.convert_to_tensor(value, tf.int32) for value in (at, *found))
    *state, _ = tf.while_loop(
        lambda *state: ~state[-1],
        follow,
        (*start, tf.constant(False)),
        maximum_iterations=_MOST_PARTS,
    )
    return tuple(state)


def require(right: tf.Tensor, problem: str, value: tf.Tensor) -> tf.Tensor:
    """Returns a value as it is, or refuses the file it comes from.

    Args:
        right: Whether the file is right, bool [].
        problem: What it is if not; ends up in an `InvalidArgumentError`.
        value: Any tensor, on which what is computed of the file depends.
    """
    with tf.control_dependencies([tf.debugging.Assert(right, [problem])]):
        return tf.identity(value)
