from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

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
