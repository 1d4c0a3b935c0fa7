import numpy as np
import tensorflow as tf

from models.training.task_losses import given_of

NAN = np.nan
# Three tasks in a row: click, cart, order. A task has a weight only where the one before it is positive.
LABELS = np.float32([[1, 1, 1], [1, 1, NAN], [1, 0, NAN], [1, NAN, NAN], [0, NAN, NAN], [NAN, NAN, NAN]])
WEIGHTS = np.float32([[1, 2, 3], [1, 2, 0], [1, 2, 0], [1, 0, 0], [4, 0, 0], [0, 0, 0]])


def given(places):
    logits = [tf.constant([0.0, 1.0, 0.0, 0.0, 0.0, 0.0]), tf.constant([0.0, -1.0, 0.0, 0.0, 0.0, 0.0])]
    return given_of(logits[: len(places) - 1], tf.constant(LABELS), tf.constant(WEIGHTS), places)


def test_an_example_counts_where_it_is_known_how_far_it_came():
    # The order: reached with an order; the second has no weight for the order, so that nothing is known; the third stopped at the cart;
    # whether the fourth has a cart is not known; the fifth stopped at the click.
    order = given([0, 1, 2])
    np.testing.assert_array_equal(order.reached, [True, True, False, False, False, False])
    np.testing.assert_array_equal(order.weights, [3, 0, 2, 0, 4, 0])
    cart = given([0, 1])
    np.testing.assert_array_equal(cart.reached, [True, True, True, True, False, False])
    np.testing.assert_array_equal(cart.weights, [2, 2, 2, 0, 4, 0])


def test_the_propensity_is_the_product_along_the_funnel():
    sigmoid = [1 / (1 + np.exp(-1.0)), 1 / (1 + np.exp(1.0))]
    np.testing.assert_allclose(np.exp(given([0, 1, 2]).log_propensity)[:2], [0.25, sigmoid[0] * sigmoid[1]], rtol=1e-5)
    np.testing.assert_allclose(np.exp(given([0, 1]).log_propensity)[:2], [0.5, sigmoid[0]], rtol=1e-5)
