"""The losses of the small problems, by hand."""

import math

import numpy as np
import pytest

from benchmarks.small.metrics import Measure, measure_of
from models.recipe.tasks import Task

LOG = Measure(binary=False, log=True)


def test_log_loss_and_its_constant() -> None:
    measure = measure_of(Task(kind="binary", outcome="click", window="1d"))
    labels = np.array([1.0, 0.0, 0.0, 0.0])
    assert measure.constant(labels) == 0.25
    assert measure.loss(labels, np.full(4, 0.5)) == pytest.approx(math.log(2.0))
    assert measure.loss(labels, np.array([0.8, 0.2, 0.2, 0.2])) == pytest.approx(-math.log(0.8))


def test_rmse_has_the_label_s_unit() -> None:
    measure = measure_of(Task(kind="regression", outcome="order", window="1d"))
    assert measure.loss(np.array([1.0, 5.0]), np.array([1.0, 3.0])) == pytest.approx(math.sqrt(2.0))
    assert measure.constant(np.array([1.0, 5.0])) == 3.0


def test_squared_log_error_is_measured_in_its_own_unit() -> None:
    """log(1 + 0) = 0 and log(1 + (e^2 - 1)) = 2: the constant is e - 1, and its error is 1 on both."""
    about = Task(kind="regression", outcome="order", window="1d", loss="squared_log_error")
    assert measure_of(about) == LOG
    labels = np.array([0.0, math.expm1(2.0)])
    constant = LOG.constant(labels)
    assert constant == pytest.approx(math.expm1(1.0))
    assert LOG.loss(labels, np.full(2, constant)) == pytest.approx(1.0)


def test_a_negative_prediction_counts_as_0_under_the_logarithm() -> None:
    assert LOG.loss(np.array([0.0]), np.array([-5.0])) == 0.0
