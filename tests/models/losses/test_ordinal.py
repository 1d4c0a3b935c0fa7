from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from constant_minimum import best_constant

from models.losses.ordinal import Ordinal

# Each grade once: log odds of 4/5, 3/5, 2/5, 1/5; softplus(log(e^d - 1)) is their distance d.
OPTIMUM = ((1.0, 2.0, 3.0, 4.0, 5.0), (np.log(4), np.log(5 / 3), np.log(5 / 4), np.log(5 / 3)), 3.0)


def test_by_hand() -> None:
    """l = (log 3, 0), so the grades 0, 1, 5 have probabilities 1/4, 1/4, 1/2: their mean is 2.75."""
    logits = tf.Variable([[np.log(3), np.log(2)]] * 4, dtype=tf.float32)
    loss = Ordinal(grades=(0.0, 1.0, 5.0))
    with tf.GradientTape() as tape:
        found = loss.value(logits, tf.constant([0.0, 1.0, 5.0, 4.9]))
    np.testing.assert_allclose(found, np.log([4, 4, 2, 4]), rtol=1e-5)
    # With P(1) = a - b, a = sigmoid(z_1) = 3/4 and b = sigmoid(z_1 - softplus(z_2)) = 1/2:
    # dl_2/dz_2 = -sigmoid(z_2) = -2/3; dP/dz_1 = 3/16 - 1/4, dP/dz_2 = 1/4 * 2/3
    slopes = [[3 / 4, 0.0], [1 / 4, -2 / 3], [-1 / 2, 1 / 3], [1 / 4, -2 / 3]]
    np.testing.assert_allclose(tape.gradient(found, logits), slopes, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(loss.prediction(logits), [2.75] * 4, rtol=1e-5)


def test_the_probabilities_of_all_grades_are_1_in_sum_whatever_the_logits() -> None:
    loss = Ordinal(grades=(1.0, 2.0, 4.0, 8.0))
    logits = np.random.default_rng(0).normal(scale=3.0, size=(50, 3)).astype(np.float32)
    values = [np.asarray(loss.value(logits, np.full(50, grade, np.float32))) for grade in loss.grades]
    np.testing.assert_allclose(np.exp(-np.array(values)).sum(axis=0), 1.0, rtol=1e-5)
    mean = np.exp(-np.array(values)).T @ np.array(loss.grades)
    np.testing.assert_allclose(loss.prediction(logits), mean, rtol=1e-5)


def test_the_best_constant_predicts_the_mean() -> None:
    loss = Ordinal(grades=(-1.0, 0.0, 3.0, 10.0))
    labels = np.random.default_rng(0).choice(loss.grades, 5_000, p=[0.1, 0.6, 0.05, 0.25])
    logits, prediction = best_constant(loss, labels)
    assert prediction == pytest.approx(labels.mean(), rel=1e-3)
    # The start adds half an example of each grade.
    np.testing.assert_allclose(loss.start(labels, np.ones(5_000)).offset, logits, atol=0.02)
