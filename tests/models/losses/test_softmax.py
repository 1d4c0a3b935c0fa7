from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from constant_minimum import best_constant

from models.layers.adversaries import Adversaries
from models.losses.softmax import Softmax
from models.losses.task_loss import task_loss

# The logits are the logarithms of the shares, up to a constant.
OPTIMUM = ((1.0, 2.0, 2.0, 3.0, 4.0, 4.0, 5.0), np.log([1, 2, 1, 2, 1]), 3.0)


def test_by_hand() -> None:
    """p = (1/4, 1/4, 1/2) of the classes 0, 1 and 5: the mean is 2.75. The slopes are p less the class of the label."""
    loss, logits = Softmax(classes=(0.0, 1.0, 5.0)), tf.Variable([[0.0, 0.0, np.log(2)]] * 3, dtype=tf.float32)
    with tf.GradientTape() as tape:
        found = loss.value(logits, tf.constant([0.0, 1.0, 5.0]))
    np.testing.assert_allclose(found, np.log([4, 4, 2]), rtol=1e-5)
    slopes = [[-3 / 4, 1 / 4, 1 / 2], [1 / 4, -3 / 4, 1 / 2], [1 / 4, 1 / 4, -1 / 2]]
    np.testing.assert_allclose(tape.gradient(found, logits), slopes, rtol=1e-5)
    np.testing.assert_allclose(loss.prediction(logits), [2.75] * 3, rtol=1e-5)


def test_what_is_added_to_all_logits_changes_nothing() -> None:
    loss, logits = Softmax(), np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32)
    labels = np.float32([1, 2, 3, 4, 5, 5])
    np.testing.assert_allclose(loss.value(logits + 3, labels), loss.value(logits, labels), rtol=1e-4)
    np.testing.assert_allclose(loss.prediction(logits + 3), loss.prediction(logits), rtol=1e-5)


def test_is_calibrated_on_labels_without_an_order() -> None:
    """Many 1 and 5 and few between: the best constant predicts the mean, and the start is there at once."""
    loss = Softmax(classes=(-1.0, 0.0, 3.0, 10.0))
    labels = np.random.default_rng(0).choice(loss.classes, 5_000, p=[0.4, 0.02, 0.08, 0.5])
    logits, prediction = best_constant(loss, labels)
    assert prediction == pytest.approx(labels.mean(), rel=1e-3)
    start = np.array(loss.start(labels, np.ones(5_000)).offset)
    np.testing.assert_allclose(start, logits - np.log(np.exp(logits).sum()), atol=0.02)
    np.testing.assert_allclose(loss.prediction(start[None].astype(np.float32)), [labels.mean()], rtol=2e-3)


def test_the_start_counts_weights() -> None:
    """Three labels 1 and one 2, of four, and half of each of three classes: the weights are scaled to the number of labels."""
    start = Softmax(classes=(1.0, 2.0, 3.0)).start(np.array([1.0, 2.0, 1.0, 1.0]), np.full(4, 7.0))
    np.testing.assert_allclose(start.offset, np.log(np.array([3.5, 1.5, 0.5]) / 5.5), rtol=1e-6)


def test_an_adversary_of_several_classes_turns_its_gradient_around() -> None:
    loss = Softmax(classes=(0.0, 1.0, 2.0))
    adversaries = Adversaries({"device": loss.outputs}, [1.0])
    adversaries.build((None, 4))
    representation, labels = tf.Variable(np.random.default_rng(0).normal(size=(6, 4)), dtype=tf.float32), [0, 1, 2] * 2
    weights = tf.ones(6)
    with tf.GradientTape(persistent=True) as tape:
        hidden = task_loss(loss, adversaries(representation)["device"], tf.constant(labels, tf.float32), weights)
        plain = task_loss(loss, adversaries.towers[0](representation), tf.constant(labels, tf.float32), weights)
    turned, straight = (tape.gradient(one, representation).numpy() for one in (hidden, plain))
    assert np.abs(straight).max() > 0
    np.testing.assert_allclose(turned, -straight, rtol=1e-5, atol=1e-7)
