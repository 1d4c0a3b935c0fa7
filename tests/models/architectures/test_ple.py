import keras
import numpy as np
import pytest
from tasks import binary

from models.architectures.encoded import Encoded
from models.architectures.ple import PLE
from models.recipe.errors import InputError

TASKS = ("a", "b", "c")


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
    states = {task: x for task in TASKS}
    shared_state = x
    gates = {}
    for number, level in enumerate(model.extraction):
        outputs = {
            task: [expert(level.experts[t], e, states[task]) for e in range(model.task_experts)]
            for t, task in enumerate(TASKS)
        }
        shared = [expert(level.experts[-1], e, shared_state) for e in range(model.shared_experts)]
        fused = {}
        for t, task in enumerate(TASKS):
            kernel, bias = level.task_gates[t].get_weights()
            gates[task] = softmax(states[task] @ kernel + bias)
            fused[task] = sum(g * out for g, out in zip(gates[task], outputs[task] + shared, strict=True))
        if number < model.levels - 1:
            kernel, bias = level.shared_gate.get_weights()
            everything = [out for task in TASKS for out in outputs[task]] + shared
            gate = softmax(shared_state @ kernel + bias)
            shared_state = sum(g * out for g, out in zip(gate, everything, strict=True))
        states = fused
    logits = {}
    for t, task in enumerate(TASKS):
        kernel, bias = model.towers[t].get_weights()
        logits[task] = (states[task] @ kernel + bias)[0]
    return logits, gates


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_against_loops(levels):
    keras.utils.set_random_seed(levels)
    model = PLE(binary(*TASKS), levels=levels, task_experts=2, shared_experts=3, units=(4, 3), tower_units=())
    x = np.random.default_rng(0).normal(size=(6, 5)).astype("float32")
    logits, gates = model(Encoded(x)), model.gates(Encoded(x))
    for row in range(6):
        expected_logits, expected_gates = reference(model, x[row])
        for task in TASKS:
            np.testing.assert_allclose(logits[task][row], expected_logits[task], rtol=1e-4, atol=1e-5)
            np.testing.assert_allclose(gates[task][row], expected_gates[task], rtol=1e-4, atol=1e-5)
    assert gates["a"].shape == (6, 5)


def test_refuses_no_level():
    with pytest.raises(InputError, match="1 level or more, received levels=0"):
        PLE(binary(*TASKS), levels=0)
