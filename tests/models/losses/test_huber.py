from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from models.losses.huber import Huber

# Three labels pull by z, the far one by 1: 3 z = 1.
OPTIMUM = ((0.0, 0.0, 0.0, 5.0), 1 / 3, 1 / 3)


@pytest.mark.parametrize(
    ("logit", "label", "value", "prediction", "slope"),
    [
        (1.5, 1.0, 0.125, 1.5, 0.5),
        (-3.0, 1.0, 3.5, -3.0, -1.0),
        (1.0, 1.0, 0.0, 1.0, 0.0),
    ],
)
def test_by_hand(logit: float, label: float, value: float, prediction: float, slope: float) -> None:
    logits = tf.Variable([float(logit)])
    with tf.GradientTape() as tape:
        found = Huber().value(logits, tf.constant([label]))
    np.testing.assert_allclose(found, [value], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(tape.gradient(found, logits), [slope], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(Huber().prediction(logits), [prediction], rtol=1e-5, atol=1e-6)
