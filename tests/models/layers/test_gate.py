import typing

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.layers.gate import GATES, Gate, mix, renormalized, unevenness
from models.recipe.errors import InputError
from models.recipe.option_types import GateName

X = np.random.default_rng(0).normal(size=(50, 3)).astype("float32")


def built(experts=4, seed=1, **options):
    keras.utils.set_random_seed(seed)
    layer = Gate(experts, **options)
    layer.build((None, 3))
    return layer


def test_recipes_know_the_gates_of_the_table():
    assert set(typing.get_args(GateName)) == set(GATES)


@pytest.mark.parametrize("gate", GATES)
def test_shares_sum_to_1_in_any_precision(gate):
    exact, rounded = (built(gate=gate, dtype=dtype) for dtype in ("float32", "mixed_bfloat16"))
    np.testing.assert_allclose(np.sum(exact(X), axis=1), 1, rtol=1e-6)
    assert rounded(X).dtype == "bfloat16" and rounded.of(X).dtype == "float32"
    np.testing.assert_allclose(np.sum(rounded.of(X), axis=1), 1, rtol=1e-6)
    assert exact.losses == []


@pytest.mark.parametrize("gate", GATES)
def test_dropout_drops_experts_and_keeps_the_sum(gate):
    layer = built(gate=gate, gate_dropout=0.4)
    whole, kept = np.array(layer(X)), np.array(layer(X, training=True))
    np.testing.assert_allclose(kept.sum(axis=1), 1, rtol=1e-5)
    dropped = (whole > 0) & (kept == 0)
    assert 0.1 < dropped.sum() / (whole > 0).sum() < 0.5
    ratios = np.where(kept > 0, kept / np.where(whole > 0, whole, 1), np.nan)
    np.testing.assert_allclose(np.nanmax(ratios, axis=1), np.nanmin(ratios, axis=1), rtol=1e-4)


def test_renormalized_by_hand():
    shares = np.array([[0.5, 0.25, 0.25], [0.25, 0.75, 0.0]], "float32")
    kept = np.array([[1.0, 0.0, 0.5], [0.0, 0.0, 0.0]], "float32")  # at a rate of 1/2, kept ones are doubled
    np.testing.assert_allclose(renormalized(kept, shares), [[2 / 3, 0, 1 / 3], [0.25, 0.75, 0.0]], rtol=1e-6)


def test_load_balance_by_hand():
    """Mean shares (3/4, 1/4): mean 1/2, deviations 1/4, so CV^2 = 1/16 / 1/4 = 1/4."""
    shares = np.array([[1.0, 0.0], [0.5, 0.5]], "float32")
    np.testing.assert_allclose(unevenness(shares), 0.25)
    np.testing.assert_allclose(unevenness(np.full((3, 5), 0.2, "float32")), 0, atol=1e-6)
    np.testing.assert_allclose(unevenness(np.eye(4, dtype="float32")), 0, atol=1e-6)  # even over the batch
    np.testing.assert_allclose(unevenness(np.eye(4, dtype="float32")[[0, 0]]), 3)  # one of four has all


def test_load_balance_pushes_an_unequal_gate_to_equality():
    layer = built(2, load_balance=2.0)
    layer.set_weights([np.zeros((3, 2)), np.array([np.log(3.0), 0.0])])  # always (3/4, 1/4)
    for training in (False, True):
        with tf.GradientTape() as tape:
            layer(X, training=training)
            (loss,) = layer.losses
        np.testing.assert_allclose(loss, 2 * 0.25, rtol=1e-5)
        # dCV^2 / dm = 2 E m = (3, 1); dm_0 / db_0 = 3/4 * 1/4 = -dm_1 / db_0: 2 * (3 - 1) * 3/16 = 3/4
        gradient = tape.gradient(loss, layer.trainable_variables[1])
        np.testing.assert_allclose(gradient, [0.75, -0.75], rtol=1e-5)
    for _ in range(50):
        with tf.GradientTape() as tape:
            layer(X)
            (loss,) = layer.losses
        bias = layer.trainable_variables[1]
        bias.assign_sub(0.5 * tape.gradient(loss, bias))
    np.testing.assert_allclose(layer(X)[0], [0.5, 0.5], atol=1e-3)


def test_the_penalty_of_dselect_k_is_a_loss_term():
    layer = built(gate="dselect_k", gate_entropy=0.5)
    layer(X)
    np.testing.assert_allclose(layer.losses, [0.5 * layer.shares(X)[1]], rtol=1e-6)
    layer.of(X)
    layer(X)
    assert len(layer.losses) == 1


def test_mix_by_hand():
    gate = np.array([[0.75, 0.25]], "float32")
    experts = np.array([[[4.0, 0.0], [8.0, 4.0]]], "float32")
    np.testing.assert_allclose(mix(gate, experts), [[5.0, 1.0]])


def test_refuses_an_unknown_gate():
    with pytest.raises(InputError, match="expected one of softmax, top_k, dselect_k, received 'topk'"):
        Gate(3, gate="topk")


def test_config_round_trip():
    layer = Gate(3, gate="dselect_k", k=3, gate_dropout=0.25, load_balance=0.5, gate_entropy=0.125, name="g")
    assert Gate.from_config(layer.get_config()).get_config() == layer.get_config()
