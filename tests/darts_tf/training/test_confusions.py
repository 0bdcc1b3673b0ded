"""Confused classes, against a count by hand and pictures read back."""

from __future__ import annotations

import base64
import io
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from darts_tf.data import ArraySplit
from darts_tf.training.confusions import LARGEST, PAIRS, PICTURES, confused_pairs, confusions
from darts_tf.training.evaluation import error_rates


def pixels_of(picture):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(picture["png"]))))


def made(seed, size=6, channels=3, images=300, classes=6):
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, images).astype(np.int32)
    scores = random.dirichlet(np.ones(classes), images).astype(np.float32)
    pixels = random.integers(0, 256, (images, size, size, channels), np.uint8)
    return scores, labels, ArraySplit(pixels, labels)


def test_pairs_are_counted_and_ordered_by_count_then_by_class(seed):
    scores, labels, _ = made(seed)
    answers = scores.argmax(1)
    counted = Counter((int(t), int(a)) for t, a in zip(labels, answers, strict=True) if t != a)
    wanted = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    assert confused_pairs(labels, answers) == [(*pair, count) for pair, count in wanted]


def test_pictures_are_those_of_the_surest_wrong_answers(seed):
    scores, labels, images = made(seed)
    pairs = confusions(scores, labels, images)["pairs"]
    assert len(pairs) == PAIRS
    for pair in pairs:
        wrong = [
            index
            for index in range(len(labels))
            if labels[index] == pair["truth"] and scores[index].argmax() == pair["answer"]
        ]
        assert pair["count"] == len(wrong)
        assert pair["of"] == np.sum(labels == pair["truth"])
        sure = sorted(wrong, key=lambda index: -scores[index, pair["answer"]])[:PICTURES]
        assert [picture["index"] for picture in pair["pictures"]] == sure
        for picture in pair["pictures"]:
            assert picture["probability"] == scores[picture["index"], pair["answer"]]
            np.testing.assert_array_equal(pixels_of(picture), images.images[picture["index"]])


def test_large_pictures_are_made_small_and_grey_ones_stay_grey(seed):
    scores, labels, images = made(seed, size=2 * LARGEST, channels=1, images=20)
    picture = confusions(scores, labels, images)["pairs"][0]["pictures"][0]
    found = pixels_of(picture)
    assert found.shape == (LARGEST, LARGEST)
    whole = images.images[picture["index"], :, :, 0].astype(float)
    means = whole.reshape(LARGEST, 2, LARGEST, 2).mean((1, 3))
    np.testing.assert_allclose(found, means, atol=0.51)


def test_no_wrong_answer_gives_no_pair(seed):
    scores, _, images = made(seed)
    labels = scores.argmax(1)
    found = confusions(scores, labels, images)
    assert found["pairs"] == []
    assert [each["wrong"] for each in found["by_class"]] == [0] * scores.shape[1]


def test_the_errors_by_class_add_up_to_all_errors(seed):
    scores, labels, images = made(seed)
    by_class = confusions(scores, labels, images)["by_class"]
    for number, each in enumerate(by_class):
        answers = [row.argmax() for row in scores[labels == number]]
        assert each["of"] == len(answers)
        assert each["wrong"] == sum(answer != number for answer in answers)
    wrong = sum(each["wrong"] for each in by_class)
    error = error_rates(scores, labels)["top1_error_percent"]
    assert 100 * wrong / len(labels) == pytest.approx(error)
