import keras
import numpy as np
import pytest
import tensorflow as tf
from tasks import binary

from models.architectures.adatt import AdaTT
from models.architectures.encoded import Encoded
from models.recipe.errors import InputError

TASKS = ("a", "b", "c")
X = np.random.default_rng(0).normal(size=(6, 5)).astype("float32")


def made(**options):
    keras.utils.set_random_seed(3)
    model = AdaTT(binary(*TASKS), units=(4, 3), tower_units=(), **options)
    model(Encoded(X))
    for variable in model.trainable_variables:
        if "native" in variable.path:
            variable.assign_add(keras.random.normal(variable.shape))
    return model


def softmax(z):
    return np.exp(z - z.max()) / np.exp(z - z.max()).sum()


def expert(layer, e, x):
    """Expert e of a stacked MLP on one example, layer by layer."""
    weights = layer.get_weights()
    for kernel, bias in zip(weights[::2], weights[1::2], strict=True):
        x = np.maximum(x @ kernel[e] + bias[e], 0)
    return x


def reference(model, x):
    """The paper's equations for one example (in,): every expert and every gate in a loop. Logits and top gates."""
    n, states, gates = model.task_experts, [x] * len(TASKS), {}
    for level in model.fusion:
        outputs = [expert(level.experts, t * n + i, states[t]) for t in range(len(TASKS)) for i in range(n)]
        fused = []
        for t, task in enumerate(TASKS):
            kernel, bias = level.task_gates[t].get_weights()
            gates[task] = softmax(states[t] @ kernel + bias)
            own = sum(np.array(level.native[t])[i] * outputs[t * n + i] for i in range(n))
            fused.append(own + sum(g * out for g, out in zip(gates[task], outputs, strict=True)))
        states = fused
    towers = [tower.get_weights() for tower in model.towers]
    return {task: states[t] @ towers[t][0] + towers[t][1] for t, task in enumerate(TASKS)}, gates


@pytest.mark.parametrize(("levels", "task_experts"), [(1, 2), (2, 1), (3, 2)])
def test_against_loops(levels, task_experts):
    model = made(levels=levels, task_experts=task_experts)
    logits, gates = model(Encoded(X)), model.gates(Encoded(X))
    for row in range(6):
        expected_logits, expected_gates = reference(model, X[row])
        for task in TASKS:
            np.testing.assert_allclose(logits[task][row], expected_logits[task][0], rtol=1e-4, atol=1e-5)
            np.testing.assert_allclose(gates[task][row], expected_gates[task], rtol=1e-4, atol=1e-5)
    assert gates["a"].shape == (6, 3 * task_experts)


def test_own_experts_are_trained_even_if_the_gate_ignores_them():
    model = made(levels=1)
    for gate in model.fusion[0].task_gates:
        kernel, bias = gate.get_weights()
        gate.set_weights([0 * kernel, np.where(np.arange(len(bias)) < 2, 0.0, -1e9)])  # only the experts of a
    kernel = model.fusion[0].experts.trainable_variables[0]
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.sin(model(Encoded(X))["c"]))
    of_expert = np.abs(tape.gradient(loss, kernel)).sum(axis=(1, 2))
    assert np.all((of_expert > 0) == [True, True, False, False, True, True])


def test_refuses_no_level():
    with pytest.raises(InputError, match="adatt: expected 1 level or more, received levels=0"):
        AdaTT(binary(*TASKS), levels=0)
