import numpy as np
import tensorflow as tf
from funnel import clicked, cross_entropy, sigmoid

from models.losses.binary_crossentropy import BinaryCrossentropy
from models.objectives.base import log1mexp
from models.objectives.esmm import ESMM


def test_is_the_cross_entropy_of_the_product_over_all_impressions():
    clicks, propensity, logits, orders = [1, 1, 0], [0.5, 0.2, 0.8], [0.0, 2.0, -1.0], [1, 0, 0]
    values = ESMM().values(clicked(clicks, propensity, logits, orders), BinaryCrossentropy())
    # By hand: -log(.5 * .5), then -log(1 - q) of the clicked example without an order and of the unclicked one.
    expected = [np.log(4.0), *cross_entropy(0, np.array(propensity[1:]) * sigmoid(logits[1:]))]
    np.testing.assert_allclose(values, expected, rtol=1e-5)


def test_a_label_of_an_unclicked_example_is_no_order():
    one, other = (
        ESMM().values(clicked([0], [0.3], [0.5], [label]), BinaryCrossentropy()).numpy() for label in (0.0, 1.0)
    )
    assert one == other


def test_is_least_at_the_rates_of_click_and_order():
    # 100 impressions, 40 clicks, 10 orders: the product is least at .1, so the order at .1 / p of any propensity p.
    clicks, orders = np.arange(100) < 40, np.arange(100) < 10
    for propensity in (0.4, 0.2):
        logit = np.log(0.1 / propensity / (1 - 0.1 / propensity))
        logits = tf.fill((100,), tf.constant(logit, tf.float32))
        with tf.GradientTape() as tape:
            tape.watch(logits)
            batch = clicked(clicks, np.full(100, propensity), np.full(100, logit), orders)._replace(logits=logits)
            value = tf.reduce_sum(ESMM().values(batch, BinaryCrossentropy()))
        assert abs(float(tf.reduce_sum(tape.gradient(value, logits)))) < 1e-3


def test_log1mexp_without_cancellation():
    x = np.array([1e-4, 1e-3, 0.5, 0.7, 5.0, 50.0])
    np.testing.assert_allclose(log1mexp(tf.constant(np.float32(x))), np.log1p(-np.exp(-x)), rtol=2e-5)
    np.testing.assert_allclose(log1mexp(tf.constant([1e-8])), np.log(1e-8), rtol=1e-5)
