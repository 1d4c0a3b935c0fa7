from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from models.losses.poisson import Poisson

OPTIMUM = ((0.0, 4.0), np.log(2), 2.0)  # the mean


@pytest.mark.parametrize(
    ("logit", "label", "value", "prediction", "slope"),
    [
        # e^z - y z - y + y log y; the slope is e^z - y
        (np.log(2), 4.0, 2 - 4 * np.log(2) - 4 + 4 * np.log(4), 2.0, -2.0),
        (np.log(2), 0.0, 2.0, 2.0, 2.0),
        (np.log(4), 4.0, 0.0, 4.0, 0.0),
    ],
)
def test_by_hand(logit: float, label: float, value: float, prediction: float, slope: float) -> None:
    logits = tf.Variable([float(logit)])
    with tf.GradientTape() as tape:
        found = Poisson().value(logits, tf.constant([label]))
    np.testing.assert_allclose(found, [value], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(tape.gradient(found, logits), [slope], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(Poisson().prediction(logits), [prediction], rtol=1e-5, atol=1e-6)
