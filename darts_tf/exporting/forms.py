"""The forms that a model may be exported in."""

from typing import Any

from darts_tf.exporting.form import Form
from darts_tf.exporting.image_model import ImageModel
from darts_tf.exporting.language_model import LanguageModel

# Asked in this order; the last one refuses what none of them takes.
_FORMS: tuple[type[Form], ...] = (LanguageModel, ImageModel)


def form_of(model: Any) -> Form:
    """Returns the form that a model is exported in.

    Example:
        >>> import keras
        >>> from darts_tf.exporting.forms import form_of
        >>> image = keras.Input((8, 8, 3))
        >>> flat = keras.layers.Flatten()(image)
        >>> form_of(keras.Model(image, keras.layers.Dense(4, activation="softmax")(flat))).classes
        4

    Args:
        model: Anything; right is what `train` returns.

    Raises:
        UserError: If it cannot be exported.
    """
    return next(form for kind in _FORMS if (form := kind.of(model)) is not None)
