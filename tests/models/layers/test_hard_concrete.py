import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.layers.hard_concrete import HardConcrete


def made(*log_alpha, seed=7):
    gates = HardConcrete((len(log_alpha),), seed=seed)
    gates.build()
    gates.log_alpha.assign(log_alpha)
    return gates


def test_inference_by_hand():
    # sigmoid(0) 1.2 - 0.1 = 0.5; sigmoid(1.0986) = 0.75: 0.8; below -2.398: 0; above 2.398: 1
    gates = made(0.0, math.log(3), -2.4, 2.4)
    np.testing.assert_allclose(gates(), [0.5, 0.8, 0.0, 1.0], rtol=1e-6)
    assert gates()[2] == 0.0
    np.testing.assert_array_equal(gates(), gates(training=False))


def test_expected_open_by_hand():
    # log(0.1 / 1.1) 2/3 = -1.59860: sigmoid(0 + 1.59860) = 0.831816, and sigmoid(-1.59860 + 1.59860) = 0.5
    assert float(made(0.0, -1.598597).expected_open()) == pytest.approx(1.331816, abs=1e-5)


def test_draws_are_0_as_often_as_the_expectation_says_and_never_outside_0_and_1():
    gates = made(*[0.0] * 2000, *[-3.0] * 2000)
    z = gates(training=True).numpy()
    assert z.min() == 0 and z.max() == 1 and np.isfinite(z).all()
    for part, log_alpha in ((z[:2000], 0.0), (z[2000:], -3.0)):
        p = 1 / (1 + math.exp(-(log_alpha + 1.598597)))
        assert np.mean(part > 0) == pytest.approx(p, abs=4 * math.sqrt(p * (1 - p) / 2000))


def test_the_same_seed_gives_the_same_draws_also_compiled():
    one, again, other = made(0.0, 0.0), made(0.0, 0.0), made(0.0, 0.0, seed=8)
    compiled = tf.function(lambda: again(training=True), jit_compile=True)
    draws = [one(training=True).numpy() for _ in range(4)]
    np.testing.assert_allclose(draws, [compiled().numpy() for _ in range(4)], rtol=1e-5)
    assert len({tuple(draw) for draw in draws}) == 4
    assert not np.array_equal(draws[0], other(training=True))


def test_a_draw_has_a_gradient():
    gates = made(*[0.0] * 50)
    with tf.GradientTape() as tape:
        z = gates(training=True)
    gradient = tape.gradient(z, gates.log_alpha.value).numpy()
    np.testing.assert_array_equal(gradient > 0, (z > 0) & (z < 1))


def test_stays_float32_in_mixed_precision_and_round_trips():
    gates = HardConcrete((2, 3), seed=4, dtype="mixed_bfloat16")
    gates.build()
    assert gates(training=True).dtype == "float32"
    again = HardConcrete.from_config(gates.get_config())
    assert (again.gates, again.seed) == ((2, 3), 4)
    assert keras.saving.get_registered_name(HardConcrete) == "gatewise>HardConcrete"
