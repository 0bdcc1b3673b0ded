"""The errors of a network by class, and the pairs of classes that it confuses, with pictures."""

import base64
from typing import Any

import numpy as np
import tensorflow as tf

from darts_tf.data import Split
from darts_tf.data.batches import evaluation_batches
from darts_tf.data.reading import each

PAIRS = 8  # pairs of classes, at most
PICTURES = 4  # pictures of a pair, at most
LARGEST = 64  # pixels along the longer side of a picture


def confusions(scores: np.ndarray, labels: np.ndarray, images: Split) -> dict[str, Any]:
    """Returns the errors by class, and the most confused pairs of classes, most frequent first.

    Args:
        scores: Probabilities of the classes, float [images, classes].
        labels: The true classes, int [images].
        images: The images themselves.

    Returns:
        The contents of `confusions.json`: `pairs`, each with the true class (`truth`) and the
        predicted one (`answer`), both class numbers, how many images it has (`count`) of how many
        of the true class (`of`), and `pictures` of the wrong predictions with the highest
        probability: `index` among the test images, `probability`, and `png` in base64. And
        `by_class`, for each class how many images it has (`of`), and how many of these the network
        takes for others (`wrong`).

    Raises:
        UserError: If images cannot be read.
    """
    answers = np.argmax(scores, axis=1)
    pairs = []
    for truth, answer, count in confused_pairs(labels, answers)[:PAIRS]:
        [wrong] = np.nonzero((labels == truth) & (answers == answer))
        surest = wrong[np.argsort(-scores[wrong, answer], kind="stable")][:PICTURES]
        pictures = [
            {"index": int(index), "probability": float(scores[index, answer]), "png": png}
            for index, png in zip(surest, _pngs(images.take(surest)), strict=True)
        ]
        all_of_it = int(np.sum(labels == truth))
        pair = {"truth": truth, "answer": answer, "count": count, "of": all_of_it}
        pairs.append({**pair, "pictures": pictures})
    classes = scores.shape[1]
    of = np.bincount(labels, minlength=classes)
    wrong = np.bincount(labels[labels != answers], minlength=classes)
    by_class = [{"of": int(a), "wrong": int(b)} for a, b in zip(of, wrong, strict=True)]
    return {"pairs": pairs, "by_class": by_class}


def confused_pairs(labels: np.ndarray, answers: np.ndarray) -> list[tuple[int, int, int]]:
    """Returns (true class, predicted class, images) of wrong predictions, most frequent first.

    Equally frequent pairs are in the order of their classes.

    Args:
        labels: The true classes, int [images].
        answers: The predicted classes, int [images].
    """
    wrong = labels != answers
    pairs, counts = np.unique(
        np.stack([labels[wrong], answers[wrong]], axis=1), axis=0, return_counts=True
    )
    order = np.argsort(-counts, kind="stable")
    return [(int(pairs[i, 0]), int(pairs[i, 1]), int(counts[i])) for i in order]


def _pngs(images: Split) -> list[str]:
    """Returns images as PNG files in base64, made smaller if they are larger than `LARGEST`."""
    batches = evaluation_batches(images, len(images), transform=lambda pixels, seed: pixels)
    [(pixels, _, _)] = each(batches, "data_dir")
    height, width = images.shape[:2]
    if max(height, width) > LARGEST:
        scale = LARGEST / max(height, width)
        size = [max(1, round(side * scale)) for side in (height, width)]
        pixels = tf.image.resize(pixels, size, method="area")
    whole = tf.cast(tf.round(pixels), tf.uint8)
    return [base64.b64encode(tf.io.encode_png(image).numpy()).decode("ascii") for image in whole]
