"""Evaluation of a trained network: its predictions and error rates."""

import keras
import numpy as np

from darts_tf.data.batches import evaluation_batches
from darts_tf.data.reading import each
from darts_tf.data.split import Split


def predictions(
    model: keras.Model, images: Split, batch_size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns a model's scores for images, and the labels of the images.

    Args:
        model: From pixels, [batch, rows, columns, channels], to scores, [batch, classes].
        images: The images.
        batch_size: Images at a time.

    Returns:
        Scores, float32 [images, classes], and labels, int32 [images].

    Raises:
        UserError: If images cannot be read.
    """
    batches = evaluation_batches(images, batch_size, transform=lambda pixels, seed: pixels)
    parts = [
        (model.predict_on_batch(pixels), labels) for pixels, labels, _ in each(batches, "data_dir")
    ]
    scores, labels = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return scores, labels


def error_rates(scores: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Returns the percentages of images that a model classifies wrongly.

    Example:
        >>> import numpy as np
        >>> from darts_tf.training.evaluation import error_rates
        >>> error_rates(np.array([[0.9, 0.1], [0.8, 0.2]]), np.array([0, 1]))
        {'top1_error_percent': 50.0}

    Args:
        scores: Scores of the classes, float [images, classes]. Of equal scores the earlier class
            ranks higher.
        labels: The true classes, int [images].

    Returns:
        `top1_error_percent`, and with 5 classes or more `top5_error_percent`, for which an image
        counts as wrong if its class is not among the five with the highest scores.
    """
    order = np.argsort(-scores, axis=1, kind="stable")
    rank = np.argmax(order == labels[:, np.newaxis], axis=1)
    rates = {"top1_error_percent": 100 * int(np.sum(rank >= 1)) / len(rank)}
    if scores.shape[1] >= 5:
        rates["top5_error_percent"] = 100 * int(np.sum(rank >= 5)) / len(rank)
    return rates
