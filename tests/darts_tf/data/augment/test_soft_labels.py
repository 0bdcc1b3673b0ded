import numpy as np
import pytest
import tensorflow as tf

from darts_tf.data.augment.soft_labels import smooth, soften


def test_whole_labels_become_certainties_and_soft_ones_stay(seed):
    labels = np.random.default_rng(seed).integers(0, 7, 20).astype(np.int32)
    soft = soften(tf.constant(labels), 7)
    assert soft.dtype == tf.float32
    np.testing.assert_array_equal(soft.numpy(), np.eye(7)[labels])
    np.testing.assert_array_equal(soften(soft, 7).numpy(), soft.numpy())


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.9])
def test_smoothing_spreads_a_part_over_all_classes(seed, smoothing):
    labels = np.random.default_rng(seed).integers(0, 5, 20).astype(np.int32)
    smoothed = smooth(tf.constant(labels), 5, smoothing).numpy()
    for row, label in zip(smoothed, labels, strict=True):
        assert row.sum() == pytest.approx(1, abs=1e-6)
        assert row[label] == pytest.approx(1 - smoothing + smoothing / 5, abs=1e-6)
        assert np.delete(row, label) == pytest.approx(smoothing / 5, abs=1e-6)
    np.testing.assert_allclose(
        smooth(soften(tf.constant(labels), 5), 5, smoothing), smoothed, atol=1e-7
    )
