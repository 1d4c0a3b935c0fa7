import keras
import numpy as np
import pytest
import tensorflow as tf

from models.layers.dropout import Dropout, kept


def masks(rate=0.3, seed=7, calls=1, shape=(2000, 50), **layer):
    """(call, *shape) of what inputs of 1 become."""
    dropout = Dropout(rate, seed=seed, **layer)
    return np.stack([dropout(np.ones(shape, "float32"), training=True) for _ in range(calls)])


def correlation(one, other):
    """In units of what chance gives."""
    return np.corrcoef(one.ravel(), other.ravel())[0, 1] * np.sqrt(one.size)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("shape", [(4000, 25), (500, 4, 50)])
def test_zeros_at_the_rate_and_the_rest_scaled(rate, shape):
    (mask,) = masks(rate, shape=shape)
    np.testing.assert_allclose(np.unique(mask), [0, 1 / (1 - rate)], rtol=1e-6)
    deviation = np.sqrt(rate * (1 - rate))
    assert (mask == 0).mean() == pytest.approx(rate, abs=4 * deviation / np.sqrt(mask.size))
    zeros = (mask == 0).reshape(shape[0], -1)
    for axis in (0, 1):  # each unit and each example by itself, as often as chance has it
        spread = zeros.mean(axis=axis).std() / (deviation / np.sqrt(zeros.shape[axis]))
        assert spread == pytest.approx(1, abs=0.35)


def test_no_two_units_examples_calls_or_seeds_are_alike():
    first, second = masks(calls=2)
    (other,) = masks(seed=8)
    assert abs(correlation(first, second)) < 4
    assert abs(correlation(first, other)) < 4
    for array in (first, first.T):
        pairs = np.corrcoef(array[:300]) * np.sqrt(array.shape[1])
        np.fill_diagonal(pairs, 0)
        assert pairs.std() == pytest.approx(1, abs=0.05)
    # A number of the example and one of the unit: what remains of that in four corners of a rectangle?
    m = first - first.mean()
    corners = m[::2, ::2] * m[1::2, ::2] * m[::2, 1::2] * m[1::2, 1::2]
    assert abs(corners.mean() / corners.std()) * np.sqrt(corners.size) < 4


def test_the_same_seed_gives_the_same_masks_also_compiled():
    np.testing.assert_array_equal(masks(calls=3), masks(calls=3))
    compiled = Dropout(0.3, seed=7)
    draw = tf.function(lambda: compiled(tf.ones((2000, 50)), training=True), jit_compile=True)
    np.testing.assert_allclose(masks(calls=3), [draw().numpy() for _ in range(3)], rtol=1e-6)
    assert draw.experimental_get_tracing_count() == 1

    keras.utils.set_random_seed(5)
    one, other = masks(seed=None), masks(seed=None)
    keras.utils.set_random_seed(5)
    np.testing.assert_array_equal(masks(seed=None), one)
    assert not np.array_equal(other, one)


def test_parts_of_a_batch_are_of_the_mask_of_the_whole():
    (whole,) = masks(shape=(6, 50))
    layer = Dropout(0.3, seed=7)
    layer.examples_before = lambda examples: 2 * examples
    np.testing.assert_array_equal(layer(np.ones((2, 50), "float32"), training=True), whole[4:])


def test_the_gradient_goes_where_the_value_goes():
    layer, x = Dropout(0.5, seed=1), tf.ones((20, 30))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x, training=True)
    np.testing.assert_array_equal(tape.gradient(y, x), y)


def test_not_outside_of_training_nor_at_rate_0():
    x = np.ones((20, 30), "float32")
    np.testing.assert_array_equal(Dropout(0.5)(x), x)
    np.testing.assert_array_equal(Dropout(0.0)(x, training=True), x)


def test_in_bfloat16_with_a_batch_of_unknown_size():
    layer = Dropout(0.5, seed=1, dtype="mixed_bfloat16")
    draw = tf.function(lambda x: layer(x, training=True), input_signature=[tf.TensorSpec((None, 3, 4), tf.bfloat16)])
    (expected,) = masks(0.5, seed=1, shape=(5, 3, 4))
    out = draw(tf.ones((5, 3, 4), tf.bfloat16))
    assert out.dtype == tf.bfloat16
    np.testing.assert_array_equal(tf.cast(out, tf.float32), expected)


def test_by_hand():
    """Seed and call 0: all keys are those of 0, whose mixture is 0; example 0 meets unit 0 in 0, and is dropped."""
    mask = kept(0.25, tf.constant([0, 0], tf.uint32), (2, 1), 0, "float32")
    # Example 1, by Python's numbers.
    number = 0x9E3779B9
    number = ((number ^ number >> 16) * 0x85EBCA6B) % 2**32
    number = ((number ^ number >> 13) * 0xC2B2AE35) % 2**32
    number ^= number >> 16
    number = number * 0x85EBCA6B % 2**32
    number = (number ^ number >> 15) * 0xC2B2AE35 % 2**32
    expected = 4 / 3 if number >= 2**30 else 0.0
    np.testing.assert_allclose(mask, [[0.0], [expected]], rtol=1e-6)


@pytest.mark.parametrize("rate", [-0.1, 1.0])
def test_a_rate_that_leaves_nothing_is_refused(rate):
    with pytest.raises(ValueError, match=r"Dropout: expected a rate of at least 0 and below 1"):
        Dropout(rate)


def test_config_round_trip():
    layer = Dropout(0.25, seed=3, name="d")
    assert Dropout.from_config(layer.get_config()).get_config() == layer.get_config()
