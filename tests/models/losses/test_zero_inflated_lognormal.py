from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from models.losses.zero_inflated_lognormal import ZeroInflatedLognormal

# Two of three above 0: p = 2/3 = sigmoid(log 2). Their logarithms -3 and -1 have mean -2 and deviation 1 = softplus(log(e - 1)).
OPTIMUM = ((0.0, np.e**-3, np.e**-1), (np.log(2), -2.0, np.log(np.e - 1)), 2 / 3 * np.e**-1.5)

# p = 2/3, mu = 2, sigma = 2
LOGITS = (np.log(2), 2.0, np.log(np.e**2 - 1))
FLOOR = np.sqrt(1e-7)


@pytest.mark.parametrize(
    ("logits", "label", "value", "prediction", "slopes"),
    [
        # log y is 2 deviations from mu. d/dmu = -(6 - 2) / 4; d/dsigma = 1/2 - 4^2 / 2^3, times sigmoid(b) = 1 - e^-2
        (
            LOGITS,
            np.e**6,
            np.log(3 / 2) + 6 + np.log(2) + np.log(2 * np.pi) / 2 + 2,
            2 / 3 * np.e**4,
            (-1 / 3, -1.0, -1.5 * (1 - np.e**-2)),
        ),
        # Nothing of the amount is known where there is none.
        (LOGITS, 0.0, np.log(3), 2 / 3 * np.e**4, (2 / 3, 0.0, 0.0)),
        # At the floor of sigma, where a softplus of e^-100 has gone, the loss is below 0.
        ((0.0, 0.0, -100.0), 1.0, np.log(2) + np.log(FLOOR) + np.log(2 * np.pi) / 2, 0.5, (-0.5, 0.0, 0.0)),
        # A certain error: no overflow.
        ((-1000.0, 0.0, np.log(np.e - 1)), 1.0, 1000 + np.log(2 * np.pi) / 2, 0.0, (-1.0, 0.0, 1 - 1 / np.e)),
        ((1000.0, 0.0, np.log(np.e - 1)), 0.0, 1000.0, np.e**0.5, (1.0, 0.0, 0.0)),
    ],
)
def test_by_hand(
    logits: tuple[float, ...], label: float, value: float, prediction: float, slopes: tuple[float, ...]
) -> None:
    variable = tf.Variable([[float(logit) for logit in logits]])
    with tf.GradientTape() as tape:
        found = ZeroInflatedLognormal().value(variable, tf.constant([label]))
    np.testing.assert_allclose(found, [value], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(tape.gradient(found, variable), [slopes], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(ZeroInflatedLognormal().prediction(variable), [prediction], rtol=1e-5, atol=1e-6)
