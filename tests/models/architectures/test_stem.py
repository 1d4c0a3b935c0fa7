import keras
import numpy as np
import tensorflow as tf
from tasks import binary

from models.architectures.encoded import Encoded
from models.architectures.stem import STEM

TASKS = ("a", "b")
RANDOM = np.random.default_rng(0)
X = Encoded(
    RANDOM.normal(size=(6, 5)).astype("float32"),
    by_task=tuple(RANDOM.normal(size=(6, 5)).astype("float32") for _ in TASKS),
)


def made() -> STEM:
    keras.utils.set_random_seed(3)
    model = STEM(binary(*TASKS), task_experts=2, shared_experts=1, units=(4, 3), tower_units=())
    model(X)
    return model


def softmax(z):
    return np.exp(z - z.max()) / np.exp(z - z.max()).sum()


def expert(layer, e, x):
    """Expert e of a stacked MLP on one example, layer by layer."""
    weights = layer.get_weights()
    for kernel, bias in zip(weights[::2], weights[1::2], strict=True):
        x = np.maximum(x @ kernel[e] + bias[e], 0)
    return x


def test_against_loops():
    model = made()
    logits, gates = model(X), model.gates(X)
    for row in range(6):
        own = [x[row] for x in X.by_task]
        outputs = [expert(model.experts[t], e, own[t]) for t in (0, 1) for e in (0, 1)]
        outputs.append(expert(model.experts[-1], 0, X.x[row]))
        for t, task in enumerate(TASKS):
            kernel, bias = model.task_gates[t].get_weights()
            gate = softmax(own[t] @ kernel + bias)
            kernel, bias = model.towers[t].get_weights()
            mixed = sum(g * out for g, out in zip(gate, outputs, strict=True))
            np.testing.assert_allclose(gates[task][row], gate, rtol=1e-4, atol=1e-5)
            np.testing.assert_allclose(logits[task][row], (mixed @ kernel + bias)[0], rtol=1e-4, atol=1e-5)


def test_a_task_moves_its_own_and_the_shared_embeddings_and_experts_alone():
    model = made()
    x, of_a, of_b = map(tf.constant, (X.x, *X.by_task))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([x, of_a, of_b])
        loss = tf.reduce_sum(tf.sin(model(Encoded(x, by_task=(of_a, of_b)))["a"]))
    assert np.any(tape.gradient(loss, x))
    assert np.any(tape.gradient(loss, of_a))
    assert tape.gradient(loss, of_b) is None
    experts = [tape.gradient(loss, layer.trainable_variables[0]) for layer in model.experts]
    assert np.any(experts[0])
    assert experts[1] is None
    assert np.any(experts[2])
