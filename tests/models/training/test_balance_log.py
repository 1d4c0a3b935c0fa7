"""What the balancer did, by hand."""

import math

import pytest
import tensorflow as tf

from models.balancing.fixed import Fixed
from models.balancing.gradnorm import GradNorm
from models.balancing.pcgrad import PCGrad
from models.balancing.uncertainty import Uncertainty
from models.training.balance_log import BalanceLog

TASKS, WEIGHTS = ("click", "cart", "order"), (1.0, 2.0, 0.5)


def results(log):
    return {metric.name: float(metric.result()) for metric in log.metrics}


def test_the_cosines_are_means_over_the_steps_in_which_both_tasks_have_a_gradient():
    log = BalanceLog(PCGrad(TASKS, WEIGHTS))
    log.update(WEIGHTS, tf.constant([[3.0, 0.0], [4.0, 3.0], [0.0, 0.0]]))
    log.update(WEIGHTS, tf.constant([[1.0, 0.0], [-2.0, 0.0], [0.0, 1e-3]]))
    assert results(log) == pytest.approx(
        {"cosine_of_click_and_cart": (0.8 - 1.0) / 2, "cosine_of_click_and_order": 0.0, "cosine_of_cart_and_order": 0.0}
    )


def test_the_weights_are_means_over_the_steps():
    log = BalanceLog(Uncertainty(TASKS, WEIGHTS))
    log.update(tf.unstack(tf.constant([1.0, 2.0, 3.0])), None)
    log.update(tf.unstack(tf.constant([3.0, 2.0, 4.0])), None)
    assert results(log) == {"weight_of_click": 2.0, "weight_of_cart": 2.0, "weight_of_order": 3.5}


def test_a_weighting_that_sees_gradients_has_both_and_fixed_weights_have_none():
    log = BalanceLog(GradNorm(TASKS[:2], WEIGHTS[:2]))
    log.update([1.0, 1.0], tf.constant([[1.0, 1.0], [0.0, 1.0]]))
    assert results(log) == pytest.approx(
        {"weight_of_click": 1.0, "weight_of_cart": 1.0, "cosine_of_click_and_cart": math.sqrt(0.5)}
    )
    log.update([1.0, 1.0], None)  # an architecture without shared variables
    assert BalanceLog(Fixed(TASKS, WEIGHTS)).metrics == []
