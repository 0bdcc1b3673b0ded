"""The class names of an exported model."""

from collections.abc import Sequence

from darts_tf.errors import UserError


def class_names(labels: Sequence[str] | None, classes: int) -> list[str]:
    """Returns a name for each class.

    Example:
        >>> from darts_tf.exporting.labels import class_names
        >>> class_names(None, 3)
        ['0', '1', '2']

    Args:
        labels: The names; numbers from 0 when None.
        classes: The number of classes.

    Raises:
        UserError: If there is not one name for each class.
    """
    names = [str(i) for i in range(classes)] if labels is None else list(labels)
    if len(names) != classes:
        raise UserError(f"labels: expected {classes}, one for each class, got {len(names)}")
    return names
