import math

import numpy as np
import tensorflow as tf

from darts_tf.engine.scoring import Batch, perplexities, score


def test_score_weighs_losses_and_right_answers(seed):
    rng = np.random.default_rng(seed)
    logits, labels, share = rng.normal(size=(5, 4)), rng.integers(0, 4, 5), rng.uniform(size=5)
    found = score(tf.constant(logits), Batch(None, tf.constant(labels), tf.constant(share)))
    likelihood = np.exp(logits[range(5), labels]) / np.exp(logits).sum(1)
    assert math.isclose(found.loss, np.sum(-np.log(likelihood) * share), rel_tol=1e-9)
    right = np.sum((logits.argmax(1) == labels) * share)
    assert math.isclose(found.accuracy, right, rel_tol=1e-9)


def test_soft_labels_weigh_the_classes_of_each_answer(seed):
    rng = np.random.default_rng(seed)
    logits, share = rng.normal(size=(6, 4)), rng.uniform(size=6)
    labels = rng.dirichlet(np.ones(4), 6)
    found = score(tf.constant(logits), Batch(None, tf.constant(labels), tf.constant(share)))
    likelihood = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    loss = np.sum(-labels * np.log(likelihood), axis=1)
    assert math.isclose(found.loss, np.sum(loss * share), rel_tol=1e-9)
    right = np.sum((logits.argmax(1) == labels.argmax(1)) * share)
    assert math.isclose(found.accuracy, right, rel_tol=1e-9)


def test_certain_soft_labels_score_as_whole_ones_do(seed):
    rng = np.random.default_rng(seed)
    logits, labels = tf.constant(rng.normal(size=(6, 4)), tf.bfloat16), rng.integers(0, 4, 6)
    share = tf.constant(rng.uniform(size=6), tf.float32)
    soft = tf.one_hot(labels, 4)
    scores = [score(logits, Batch(None, given, share)) for given in (tf.constant(labels), soft)]
    np.testing.assert_allclose(scores[0], scores[1], rtol=1e-6)
    assert scores[0].loss.dtype == scores[1].loss.dtype == tf.float32


def test_each_word_of_a_text_counts_as_an_example_does(seed):
    rng = np.random.default_rng(seed)
    logits, labels, share = rng.normal(size=(3, 5, 4)), rng.integers(0, 4, (3, 5)), rng.uniform()
    weights = np.full((3, 5), share)
    of_words = score(tf.constant(logits), Batch(None, tf.constant(labels), tf.constant(weights)))
    flat = Batch(None, tf.constant(labels.reshape(-1)), tf.constant(weights.reshape(-1)))
    of_examples = score(tf.constant(logits.reshape(15, 4)), flat)
    for found, right in zip(of_words, of_examples, strict=True):
        assert math.isclose(found, right, rel_tol=1e-9)


def test_perplexities_are_the_exponentials_of_the_losses_and_never_overflow():
    logs = {"loss": math.log(20.0), "val_loss": 1e6, "accuracy": 0.5}
    found = perplexities(logs)
    assert list(found) == ["train_perplexity", "valid_perplexity"]
    assert math.isclose(found["train_perplexity"], 20)
    assert math.isfinite(found["valid_perplexity"])
    assert perplexities({"loss": 0.0}) == {"train_perplexity": 1.0}
