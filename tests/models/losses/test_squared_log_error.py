from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from models.losses.squared_log_error import SquaredLogError

# log(1 + y) is 0 and 2, their mean 1.
OPTIMUM = ((0.0, np.e**2 - 1), 1.0, np.e - 1)


@pytest.mark.parametrize(
    ("logit", "label", "value", "prediction", "slope"),
    [
        (1.0, np.e**3 - 1, 4.0, np.e - 1, -4.0),
    ],
)
def test_by_hand(logit: float, label: float, value: float, prediction: float, slope: float) -> None:
    logits = tf.Variable([float(logit)])
    with tf.GradientTape() as tape:
        found = SquaredLogError().value(logits, tf.constant([label]))
    np.testing.assert_allclose(found, [value], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(tape.gradient(found, logits), [slope], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(SquaredLogError().prediction(logits), [prediction], rtol=1e-5, atol=1e-6)
