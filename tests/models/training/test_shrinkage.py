"""How far a task's logits move back towards its constant."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from models.losses.binary_crossentropy import BinaryCrossentropy
from models.losses.squared_error import SquaredError
from models.losses.zero_inflated_lognormal import ZeroInflatedLognormal
from models.training.shrinkage import LEAST, factor

RANDOM = np.random.default_rng(0)
ONE = np.ones(4000, np.float32)


def test_of_squared_error_it_is_the_regression_on_the_logits() -> None:
    """For offset 2: s = sum m (y - 2) / sum m^2 = (1 * 0.5 + 2 * 1 + 3 * 1) / 14 = 5.5 / 14, of the observed rows."""
    logits = np.array([3.0, 4.0, 5.0, 90.0], np.float32)
    labels = np.array([2.5, 3.0, 3.0, np.nan], np.float32)
    found = factor(SquaredError(), logits, np.array([2.0]), labels, np.array([1, 1, 1, 0], np.float32))
    assert found == pytest.approx(5.5 / 14, abs=0.005)


@pytest.mark.parametrize(("sure", "expected"), [(2.5, 0.4), (1.0, 1.0), (0.5, 1.0)])
def test_too_sure_logits_are_moved_back_and_unsure_ones_stay(sure: float, expected: float) -> None:
    moved = RANDOM.normal(size=40_000)
    labels = (RANDOM.random(40_000) < 1 / (1 + np.exp(1.5 - moved))).astype(np.float32)
    logits = (-1.5 + sure * moved).astype(np.float32)
    found = factor(BinaryCrossentropy(), logits, np.array([-1.5]), labels, np.ones(40_000, np.float32))
    assert found == pytest.approx(expected, abs=0.03)


def test_noise_ends_at_the_constant_in_its_order() -> None:
    labels = (RANDOM.random(4000) < 0.3).astype(np.float32)
    logits = (-0.85 + RANDOM.normal(size=4000)).astype(np.float32)
    assert factor(BinaryCrossentropy(), logits, np.array([-0.85]), labels, ONE) == pytest.approx(LEAST, abs=0.05)


def test_all_outputs_of_a_loss_move_together() -> None:
    loss, offset = ZeroInflatedLognormal(), np.array([0.0, 1.0, 0.5])
    amounts = np.where(RANDOM.random(4000) < 0.5, 0.0, RANDOM.lognormal(1.0, 1.0, 4000)).astype(np.float32)
    logits = (offset + RANDOM.normal(size=(4000, 3))).astype(np.float32)
    s = factor(loss, logits, offset, amounts, ONE)
    assert s < 0.5
    mean = tf.reduce_mean(loss.value(tf.constant((offset + s * (logits - offset)).astype("float32")), amounts))
    assert mean < tf.reduce_mean(loss.value(tf.constant(logits), amounts))
