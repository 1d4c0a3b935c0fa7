import keras
import numpy as np
import pytest
import tensorflow as tf

from models.layers.dselect_k_gate import DSelectKGate, of_experts, selector, smooth_step
from models.recipe.errors import InputError


def made(experts, k, inputs=3):
    keras.utils.set_random_seed(1)
    layer = DSelectKGate(experts, k)
    layer.build((None, inputs))
    return layer


def test_smooth_step_by_hand():
    # 1/2 + 3/2 * 1/4 - 2 / 64 = 0.84375
    np.testing.assert_allclose(smooth_step(np.array([-2.0, -0.5, 0.0, 0.25, 0.5, 9.0])), [0, 0, 0.5, 0.84375, 1, 1])


def test_selector_by_hand():
    """Bits (1/4, 1), the lowest digit first: only numbers with the second digit, 2 and 3, are left."""
    np.testing.assert_allclose(selector(np.array([[[0.25, 1.0]]], "float32")), [[[0.0, 0.0, 0.75, 0.25]]])


def test_surplus_codes_by_hand():
    codes = np.array([[[0.1, 0.2, 0.3, 0.4], [0.0, 0.0, 0.0, 1.0]]], "float32")
    shares, valid = of_experts(codes, 3)
    # 0.6 of the first selector is valid; the second selects code 3 = 11 in binary, without its highest digit 1
    np.testing.assert_allclose(shares, [[[1 / 6, 1 / 3, 1 / 2], [0.0, 1.0, 0.0]]], rtol=1e-6)
    np.testing.assert_allclose(valid, [[0.6, 0.0]], rtol=1e-6)
    np.testing.assert_array_equal(of_experts(codes, 4)[0], codes)


def test_every_surplus_code_has_an_expert():
    codes = np.eye(8, dtype="float32")[None]
    np.testing.assert_array_equal(np.argmax(of_experts(codes, 5)[0], axis=-1)[0], [0, 1, 2, 3, 4, 1, 2, 3])


def test_against_the_paper_in_loops():
    layer = made(4, 2)
    random = np.random.default_rng(0)
    bits, mixture = (random.normal(size=shape).astype("float32") for shape in ((3, 4), (3, 2)))
    layer.set_weights([bits, np.full(4, 0.1), mixture, np.zeros(2)])
    x = random.normal(size=(5, 3)).astype("float32") / 3
    shares, penalty = layer(x)
    entropies = []
    for row in range(5):
        alpha = np.exp(x[row] @ mixture) / np.exp(x[row] @ mixture).sum()
        expected = np.zeros(4)
        for i in range(2):
            z = np.clip(x[row] @ bits[:, 2 * i : 2 * i + 2] + 0.1, -0.5, 0.5)
            s = -2 * z**3 + 1.5 * z + 0.5
            r = [(s[0] if e % 2 else 1 - s[0]) * (s[1] if e // 2 else 1 - s[1]) for e in range(4)]
            expected += alpha[i] * np.array(r)
            entropies.append(-sum(p * np.log(p + 1e-6) for p in r))
        np.testing.assert_allclose(shares[row], expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(penalty, np.sum(entropies) / 5, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("experts", [1, 2, 3, 6, 8])
def test_starts_with_nearly_equal_shares_also_compiled(experts):
    layer, x = made(experts, min(2, experts)), np.ones((4, 3), "float32")
    shares, penalty = layer(x)
    np.testing.assert_allclose(shares, np.full((4, experts), 1 / experts), rtol=0.15)
    np.testing.assert_allclose(np.sum(shares, axis=1), 1, rtol=1e-6)
    compiled = tf.function(layer, jit_compile=True)(x)
    np.testing.assert_allclose(compiled[0], shares, rtol=1e-5)
    np.testing.assert_allclose(compiled[1], penalty, rtol=1e-4)


def trained(layer, x, loss_of, steps):
    optimizer = keras.optimizers.Adam(0.02)
    optimizer.build(layer.trainable_variables)

    @tf.function
    def train():
        for _ in tf.range(steps):
            with tf.GradientTape() as tape:
                loss = loss_of(*layer(x))
            optimizer.apply(tape.gradient(loss, layer.trainable_variables))

    train()
    return [np.array(value) for value in layer(x)]


ONE = np.eye(6, dtype="float32")[[4, 2]]
PAIRS = np.array([[0, 0, 0, 0, 0.5, 0.5], [0, 0.5, 0, 0.5, 0, 0]], "float32")


@pytest.mark.parametrize(("k", "wanted"), [(1, ONE), (2, PAIRS)])
def test_learns_which_experts_an_example_needs_and_gives_the_others_exactly_0(k, wanted):
    """Two kinds of examples, among six experts, which need one expert or the mean of two."""
    x = tf.constant(np.eye(2, dtype="float32"))
    shares, _ = trained(
        made(6, k, inputs=2), x, lambda shares, penalty: tf.reduce_sum((shares - wanted) ** 2) + 0.05 * penalty, 500
    )
    np.testing.assert_array_equal(shares > 0, wanted > 0)
    np.testing.assert_allclose(shares, wanted, atol=0.02)


def test_the_penalty_alone_makes_each_selector_choose_an_expert():
    shares, penalty = trained(made(6, 3), tf.ones((1, 3)), lambda shares, penalty: penalty + 0.0 * shares[0, 0], 200)
    assert np.sum(shares > 0) <= 3
    np.testing.assert_allclose(penalty, 0, atol=1e-4)


def test_refuses_more_than_all_experts():
    with pytest.raises(InputError, match="dselect_k: expected a k from 1 to the number of experts, 3, received k=4"):
        DSelectKGate(3, 4)


def test_config_round_trip():
    layer = DSelectKGate(3, 2, name="g")
    assert DSelectKGate.from_config(layer.get_config()).get_config() == layer.get_config()
