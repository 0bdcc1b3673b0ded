"""The names of a model's classes."""

from collections.abc import Sequence

from darts_tf.errors import UserError


def class_names(labels: Sequence[str] | None, classes: int) -> list[str]:
    """Returns a name for each class.

    Args:
        labels: The names; numbers from 0 when None.
        classes: The number of classes.

    Raises:
        UserError: If the names are not as many.
    """
    names = [str(i) for i in range(classes)] if labels is None else list(labels)
    if len(names) != classes:
        raise UserError(f"labels: one for each of {classes} classes is right, found {len(names)}")
    return names
