import numpy as np
import pytest
import tensorflow as tf

from models.layers.top_k_gate import TopKGate
from models.recipe.errors import InputError


def made(kernel, k):
    layer = TopKGate(np.shape(kernel)[1], k)
    layer.build((None, np.shape(kernel)[0]))
    layer.set_weights([np.array(kernel), np.zeros(np.shape(kernel)[1])])
    return layer


def test_by_hand():
    shares, penalty = made([[np.log(3.0), -1.0, 0.0]], 2)(np.array([[1.0], [-1.0]]))
    # logits (log 3, -1, 0): the two largest are log 3 and 0;  (-log 3, 1, 0): 1 and 0
    e = np.e / (np.e + 1)
    np.testing.assert_allclose(shares, [[0.75, 0.0, 0.25], [0.0, e, 1 - e]], rtol=1e-6)
    assert penalty == 0.0


def test_of_equal_logits_the_first_are_taken():
    np.testing.assert_array_equal(made([[0.0] * 4], 2)(np.ones((1, 1)))[0], [[0.5, 0.5, 0.0, 0.0]])


@pytest.mark.parametrize("k", [1, 3, 5])
def test_k_weights_above_0_that_sum_to_1_also_compiled(k):
    random = np.random.default_rng(0)
    layer, x = made(random.normal(size=(4, 5)), k), random.normal(size=(200, 4)).astype("float32")
    shares, _ = layer(x)
    assert np.all(np.sum(np.array(shares) != 0, axis=1) == k)
    np.testing.assert_allclose(np.sum(shares, axis=1), 1, rtol=1e-6)
    compiled = tf.function(lambda x: layer(x)[0], jit_compile=True)(x)
    np.testing.assert_allclose(compiled, shares, rtol=1e-5)


def test_an_expert_that_is_not_selected_gets_no_gradient():
    layer, x = made([[2.0, -1.0, 1.0]], 2), tf.ones((1, 1))
    with tf.GradientTape() as tape:
        first = layer(x)[0][0, 0]
    kernel, _ = tape.gradient(first, layer.trainable_variables)
    assert kernel[0, 1] == 0.0 and kernel[0, 0] > 0.0 and kernel[0, 2] < 0.0


@pytest.mark.parametrize("k", [0, 4])
def test_refuses_more_than_all_experts(k):
    with pytest.raises(InputError, match=f"top_k: expected a k from 1 to the number of experts, 3, received k={k}"):
        TopKGate(3, k)


def test_config_round_trip():
    layer = TopKGate(3, 2, name="g")
    assert TopKGate.from_config(layer.get_config()).get_config() == layer.get_config()
