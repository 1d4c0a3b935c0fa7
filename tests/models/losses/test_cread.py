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


def test_thresholds_are_found_from_the_labels_and_kept_as_options() -> None:
    labels, ones = np.float32([8, 1, 30, 2, 4, 16, 3, 5]), np.ones(8, np.float32)
    unknown = CREAD(steps=4, alpha=0.0)
    assert unknown.outputs == 4
    with pytest.raises(ValueError, match="thresholds by `steps` are not found yet"):
        unknown.prediction(np.zeros((1, 4), np.float32))
    found = CREAD.options_from({"steps": 4, "alpha": 0.0}, labels, ones)
    assert found == {"thresholds": (1.0, 2.0, 4.0, 8.0, 30.0)}
    assert CREAD.options_from(found, labels + 1, ones) == found
    assert CREAD.options_from({}, labels, ones) == {}
    assert CREAD(**found).outputs == 4
    start = CREAD(**found).start(labels, ones).offset
    shares = 1 / (1 + np.exp(-np.array(start)))
    # The mean without the half example of each class is that of the labels: none is cut.
    assert 1 + (shares * 9 - 0.5) / 8 @ [1, 2, 4, 22] == pytest.approx(labels.mean())
