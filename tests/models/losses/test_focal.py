from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from constant_minimum import best_constant

from models.losses.binary_crossentropy import BinaryCrossentropy
from models.losses.focal import Focal

# q = 2/3: r(z) = 2 log(3/2), r(-z) = log(3) / 2.
ODDS = 8 * (1 + np.log(3)) / (1 + 4 * np.log(1.5))
OPTIMUM = ((ODDS / (1 + ODDS),), np.log(2), ODDS / (1 + ODDS))


@pytest.mark.parametrize(
    ("logit", "label", "value", "slope"),
    [
        # q = 2/3. The slope at 1 is (1 - q)^2 (2 q log q - (1 - q)), at 0 it is q^2 (q - 2 (1 - q) log(1 - q))
        (np.log(2), 1.0, np.log(1.5) / 9, -(4 / 3 * np.log(1.5) + 1 / 3) / 9),
        (np.log(2), 0.0, 4 / 9 * np.log(3), 4 / 9 * (2 / 3 + 2 / 3 * np.log(3))),
        (1000.0, 0.0, 1000.0, 1.0),
        (1000.0, 1.0, 0.0, 0.0),
    ],
)
def test_by_hand(logit: float, label: float, value: float, slope: float) -> None:
    logits = tf.Variable([float(logit)])
    with tf.GradientTape() as tape:
        found = Focal().value(logits, tf.constant([label]))
    np.testing.assert_allclose(found, [value], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(tape.gradient(found, logits), [slope], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0, 5.0])
@pytest.mark.parametrize("rate", [0.01, 0.2, 0.5, 0.95])
def test_the_best_constant_predicts_the_rate(gamma: float, rate: float) -> None:
    """The sigmoid of its logit does not, but at 1/2."""
    loss, labels = Focal(gamma=gamma), np.arange(200) < 200 * rate
    (logit,), prediction = best_constant(loss, labels)
    assert prediction == pytest.approx(rate, rel=2e-3)
    plain = 1 / (1 + np.exp(-logit))
    if gamma and rate != 0.5:
        assert abs(plain - 0.5) < abs(rate - 0.5) - 0.01


@pytest.mark.parametrize("gamma", [0.0, 2.0, 5.0])
def test_it_starts_there(gamma: float) -> None:
    """With half an example of each class added."""
    loss, labels = Focal(gamma=gamma), np.float64([1, 0, 0, 0])
    (offset,) = loss.start(labels, np.ones(4)).offset
    assert float(loss.prediction(np.float32([offset]))[0]) == pytest.approx(1.5 / 5, rel=1e-5)


def test_the_prediction_rises_with_the_logit_and_without_focus_it_is_the_sigmoid() -> None:
    logits = np.linspace(-100, 100, 4001, dtype=np.float32)
    predictions = np.asarray(Focal(gamma=10.0).prediction(logits))
    assert np.isfinite(predictions).all() and (np.diff(predictions) >= 0).all()
    assert (np.diff(predictions[np.abs(logits) < 1.0]) > 0).all()
    plain, usual = Focal(gamma=0.0), BinaryCrossentropy()
    np.testing.assert_allclose(plain.prediction(logits), usual.prediction(logits), rtol=1e-6)
    labels = (np.arange(len(logits)) % 2).astype(np.float32)
    np.testing.assert_allclose(plain.value(logits, labels), usual.value(logits, labels), rtol=1e-6)
