import numpy as np
import pytest
import tensorflow as tf

from models.layers.parent_choice import ParentChoice
from models.layers.random_bits import uniform

X = np.random.default_rng(0).normal(size=(4, 3, 2)).astype("float32")


def made(logits=((0.0, 2.0, 1.0), (0.5, 0.0, 0.0)), **options):
    layer = ParentChoice(2, 3, seed=7, **options)
    layer.build(X.shape)
    layer.logits.assign(logits)
    return layer


def test_inference_takes_the_most_probable_parent():
    layer = made()
    np.testing.assert_array_equal(layer.choices(), [[0, 1, 0], [1, 0, 0]])
    np.testing.assert_array_equal(layer(X), X[:, [1, 0]])
    assert layer(X).shape == layer.compute_output_shape(X.shape)


def test_draws_follow_the_probabilities():
    layer = made()
    draw = tf.function(lambda: layer.choices(training=True))
    draws = np.array([draw().numpy() for _ in range(2000)])
    np.testing.assert_allclose(draws.sum(axis=2), 1, atol=1e-6)
    assert set(np.unique(draws)) == {0.0, 1.0}
    logits = layer.logits.numpy()
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(draws.mean(axis=0), expected, atol=4 * np.sqrt(0.25 / 2000))


@pytest.mark.parametrize(("step", "temperature"), [(0, 4.0), (20, 4 * np.exp(-2)), (400, 0.5)])
def test_the_gradient_is_that_of_the_softmax_at_the_temperature_of_the_step(step, temperature):
    layer = made(temperature=4.0, anneal_steps=10)
    layer.seed_generator.state.assign([7, step])
    u = uniform(tf.constant([7, step], "int64"), (2, 3)).numpy()
    with tf.GradientTape() as tape:
        choices = layer.choices(training=True)[0, 1]
    gradient = tape.gradient(choices, layer.logits.value)
    z = (layer.logits.numpy()[0] - np.log(-np.log(u[0]))) / temperature
    p = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
    np.testing.assert_allclose(gradient[0], p[1] * (np.eye(3)[1] - p) / temperature, rtol=1e-3, atol=1e-6)
    np.testing.assert_array_equal(gradient[1], [0, 0, 0])
    assert layer.seed_generator.state.numpy().tolist() == [7, step + 1]


def test_xla_changes_nothing():
    one, other = made(), made()
    compiled = tf.function(lambda: other.choices(training=True), jit_compile=True)
    np.testing.assert_array_equal([one.choices(training=True) for _ in range(5)], [compiled() for _ in range(5)])


def test_starts_uniform_with_a_parent_of_its_own():
    layer = ParentChoice(2, 4, own=1)
    layer.build()
    np.testing.assert_allclose(layer.logits, [[0, 0.01, 0, 0], [0, 0, 0.01, 0]])
    again = ParentChoice.from_config(layer.get_config())
    assert (again.children, again.parents, again.own) == (2, 4, 1)
