"""Error rates of a model whose scores are known."""

import numpy as np

from darts_tf.data import ArraySplit
from darts_tf.training.evaluation import error_rates, predictions


class Scores:
    """A model that has its answers."""

    def __init__(self, scores):
        self.scores = np.array(scores)

    def predict_on_batch(self, images):
        return self.scores[np.ravel(images)]


def test_errors_are_the_share_of_right_classes_that_are_not_among_the_best():
    scores = [
        [0.9, 0.1, 0.2, 0.3, 0.4, 0.5],
        [0.1, 0.9, 0.2, 0.3, 0.4, 0.5],
        [0.0, 0.9, 0.2, 0.3, 0.4, 0.5],
        [0.4, 0.9, 0.2, 0.3, 0.1, 0.5],
    ]
    images = ArraySplit(np.arange(4, dtype=np.uint8), np.array([0, 0, 0, 0], np.int32))
    errors = error_rates(*predictions(Scores(scores), images, 2))
    assert errors == {"top1_error_percent": 75.0, "top5_error_percent": 50.0}


def test_fewer_than_five_classes_have_no_top_five_error():
    images = ArraySplit(np.arange(2, dtype=np.uint8), np.array([1, 1], np.int32))
    network = Scores([[0, 1, 0, 0], [1, 0, 0, 0]])
    errors = error_rates(*predictions(network, images, 2))
    assert errors == {"top1_error_percent": 50.0}
