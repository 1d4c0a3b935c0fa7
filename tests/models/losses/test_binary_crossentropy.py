from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from constant_minimum import best_constant

from models.losses.binary_crossentropy import BinaryCrossentropy

# sigmoid(-log 3) = 1/4, the mean.
OPTIMUM = ((0.0, 0.0, 0.0, 1.0), -np.log(3), 0.25)


@pytest.mark.parametrize(
    ("logit", "label", "value", "prediction", "slope"),
    [
        # sigmoid(log 3) = 3/4; the slope is sigmoid(z) - y
        (np.log(3), 1.0, -np.log(0.75), 0.75, -0.25),
        (np.log(3), 0.0, -np.log(0.25), 0.75, 0.75),
        (np.log(3), 0.5, -0.5 * np.log(0.75) - 0.5 * np.log(0.25), 0.75, 0.25),
        (0.0, 1.0, np.log(2), 0.5, -0.5),
        (0.0, 0.0, np.log(2), 0.5, 0.5),
        (1000.0, 0.0, 1000.0, 1.0, 1.0),
        (-1000.0, 0.0, 0.0, 0.0, 0.0),
        (-1000.0, 1.0, 1000.0, 0.0, -1.0),
    ],
)
def test_by_hand(logit: float, label: float, value: float, prediction: float, slope: float) -> None:
    logits = tf.Variable([float(logit)])
    with tf.GradientTape() as tape:
        found = BinaryCrossentropy().value(logits, tf.constant([label]))
    np.testing.assert_allclose(found, [value], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(tape.gradient(found, logits), [slope], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(BinaryCrossentropy().prediction(logits), [prediction], rtol=1e-5, atol=1e-6)


def test_label_smoothing_by_hand() -> None:
    """A label of 1 smoothed by 0.2 is 0.9; the slope is 3/4 - 0.9, the prediction (3/4 - 0.1) / 0.8."""
    loss, logits = BinaryCrossentropy(label_smoothing=0.2), tf.Variable([float(np.log(3))])
    with tf.GradientTape() as tape:
        found = loss.value(logits, tf.constant([1.0]))
    np.testing.assert_allclose(found, [-0.9 * np.log(0.75) - 0.1 * np.log(0.25)], rtol=1e-5)
    np.testing.assert_allclose(tape.gradient(found, logits), [-0.15], rtol=1e-5)
    np.testing.assert_allclose(loss.prediction(logits), [0.8125], rtol=1e-5)
    np.testing.assert_array_equal(loss.prediction(np.float32([-9, 9])), [0, 1])


@pytest.mark.parametrize("rate", [0.02, 0.5, 0.9])
def test_with_label_smoothing_the_best_constant_predicts_the_rate(rate: float) -> None:
    loss, labels = BinaryCrossentropy(label_smoothing=0.1), np.arange(1000) < 1000 * rate
    (logit,), prediction = best_constant(loss, labels)
    assert prediction == pytest.approx(rate, rel=1e-3)
    assert loss.start(labels.astype(float), np.ones(1000)).offset[0] == pytest.approx(logit, abs=0.01)
