from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from models.losses.squared_error import SquaredError

OPTIMUM = ((0.0, 4.0), 2.0, 2.0)  # the mean


@pytest.mark.parametrize(
    ("logit", "label", "value", "prediction", "slope"),
    [
        (3.0, 1.0, 4.0, 3.0, 4.0),
    ],
)
def test_by_hand(logit: float, label: float, value: float, prediction: float, slope: float) -> None:
    logits = tf.Variable([float(logit)])
    with tf.GradientTape() as tape:
        found = SquaredError().value(logits, tf.constant([label]))
    np.testing.assert_allclose(found, [value], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(tape.gradient(found, logits), [slope], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(SquaredError().prediction(logits), [prediction], rtol=1e-5, atol=1e-6)
