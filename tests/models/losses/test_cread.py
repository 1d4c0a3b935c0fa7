from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from constant_minimum import best_constant

from models.losses.cread import CREAD

# 5 covers half of the step from 3 to 7, so the shares are 2/3, 1/2 and from 7 on 1/3. The mean is 3605 / 3.
OPTIMUM = ((0.0, 5.0, 3600.0), (np.log(2), 0.0, *[-np.log(2)] * 7), 3605 / 3)


def test_by_hand() -> None:
    """Steps 0 to 1 and 1 to 5; p = (3/4, 1/2). The mean is 0.75 + 0.5 * 4."""
    loss, logits = CREAD(thresholds=(0.0, 1.0, 5.0)), tf.Variable([[np.log(3), 0.0]] * 4, dtype=tf.float32)
    with tf.GradientTape() as tape:
        found = loss.value(logits, tf.constant([0.0, 2.0, 1e6, -1.0]))
    none, all_ = np.log(4) + np.log(2), np.log(4 / 3) + np.log(2)
    np.testing.assert_allclose(found, [none, all_, all_, none], rtol=1e-5)
    slopes = [[3 / 4, 1 / 2], [-1 / 4, 1 / 4], [-1 / 4, -1 / 2], [3 / 4, 1 / 2]]  # p - s
    np.testing.assert_allclose(tape.gradient(found, logits), slopes, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(loss.prediction(logits), [2.75] * 4, rtol=1e-5)


def test_the_best_constant_predicts_the_mean_up_to_the_last_threshold() -> None:
    """Of lognormal times. Labels that only say whether a step was entered would round it up by a fifth."""
    labels = np.random.default_rng(0).lognormal(2.0, 1.0, 5_000)
    loss = CREAD(thresholds=(0.0, 4.0, 10.0, 25.0, 100.0))
    logits, prediction = best_constant(loss, labels)
    mean = np.minimum(labels, 100.0).mean()
    assert prediction == pytest.approx(mean, rel=1e-3)
    reached = (labels[:, None] > loss.thresholds[:-1]).mean(axis=0)
    assert reached @ np.diff(loss.thresholds) > 1.2 * mean
    # The start adds half an example of each class.
    np.testing.assert_allclose(loss.start(labels, np.ones(5_000)).offset[1:], logits[1:], atol=0.02)
