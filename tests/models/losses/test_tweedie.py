from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from constant_minimum import best_constant

from models.losses.poisson import Poisson
from models.losses.tweedie import Tweedie

OPTIMUM = ((0.0, 4.0), np.log(2), 2.0)  # the mean


@pytest.mark.parametrize(
    ("logit", "label", "value", "slope"),
    [
        # m = 4, p = 3/2: -4 sqrt(y) + 2 y / sqrt(m) + 2 sqrt(m); the slope is m^(1 - p) (m - y)
        (np.log(4), 9.0, -12 + 9 + 4, -2.5),
        (np.log(4), 0.0, 4.0, 2.0),
        (np.log(4), 4.0, 0.0, 0.0),
    ],
)
def test_by_hand(logit: float, label: float, value: float, slope: float) -> None:
    logits = tf.Variable([float(logit)])
    with tf.GradientTape() as tape:
        found = Tweedie().value(logits, tf.constant([label]))
    np.testing.assert_allclose(found, [value], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(tape.gradient(found, logits), [slope], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(Tweedie().prediction(logits), [4.0], rtol=1e-5)


@pytest.mark.parametrize("power", [1.1, 1.5, 1.9])
def test_the_best_constant_predicts_the_mean(power: float) -> None:
    """Of a Poisson number of purchases with gamma amounts: 0.5 purchases of 2 * 3."""
    random = np.random.default_rng(0)
    count = random.poisson(0.5, 20_000)
    labels = np.where(count > 0, random.gamma(2.0 * np.maximum(count, 1), 3.0), 0.0)
    loss = Tweedie(power=power)
    _, prediction = best_constant(loss, labels)
    assert prediction == pytest.approx(labels.mean(), rel=1e-3)
    assert prediction == pytest.approx(0.5 * 2 * 3, rel=0.05)
    assert np.exp(loss.start(labels, np.ones(len(labels))).offset[0]) == pytest.approx(labels.mean())


def test_near_power_1_it_is_poisson() -> None:
    logits, labels = np.float32([0.0, 1.0, 2.0]), np.float32([3.0, 0.0, 2.0])
    np.testing.assert_allclose(Tweedie(power=1.01).value(logits, labels), Poisson().value(logits, labels), rtol=0.03)
