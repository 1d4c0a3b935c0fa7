"""Adversaries: they learn their labels, and what they read learns to hide them."""

import keras
import numpy as np
import tensorflow as tf

from models.layers.adversaries import Adversaries, reverse_gradient

H = tf.constant(np.random.default_rng(0).normal(size=(8, 5)), "float32")


def test_the_gradient_is_reversed_and_the_value_is_not():
    with tf.GradientTape() as tape:
        tape.watch(H)
        same = reverse_gradient(H)
        total = tf.reduce_sum(tf.square(same))
    np.testing.assert_array_equal(same, H)
    np.testing.assert_allclose(tape.gradient(total, H), -2 * H)


def test_the_tower_descends_where_the_representation_ascends():
    keras.utils.set_random_seed(1)
    adversaries = Adversaries({"device": 1, "amount": 3}, [0.5, 2.0])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(H)
        logits = adversaries(H)
        plain = adversaries.towers[0](H)
    assert {task: tuple(of.shape) for task, of in logits.items()} == {"device": (8,), "amount": (8, 3)}
    np.testing.assert_array_equal(logits["device"], plain)
    np.testing.assert_allclose(tape.gradient(logits["device"], H), -tape.gradient(plain, H))
    variables = adversaries.towers[0].trainable_variables
    for one, other in zip(tape.gradient(logits["device"], variables), tape.gradient(plain, variables), strict=True):
        np.testing.assert_allclose(one, other)


def test_config_round_trip():
    again = Adversaries.from_config(Adversaries({"device": 1, "amount": 3}, [0.5, 2.0]).get_config())
    assert again.outputs == (("device", 1), ("amount", 3))
    assert again.factors == (("device", 0.5), ("amount", 2.0))
