import keras
import numpy as np
import tensorflow as tf
from tasks import binary

from models.architectures.encoded import Encoded
from models.architectures.pepnet import PEPNet

TASKS = ("a", "b")
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(3, 5)).astype("float32")
PARTS = {name: RANDOM.normal(size=(3, width)).astype("float32") for name, width in (("page", 1), ("user", 2))}
INPUTS = Encoded(X, parts=PARTS)


def made(**options) -> PEPNet:
    keras.utils.set_random_seed(3)
    model = PEPNet(
        binary(*TASKS),
        **{"domain": ("page",), "personal": ("user", "page"), "units": (4, 3), "gate_units": 6, **options},
    )
    model(INPUTS)
    return model


def gate(unit, output, x):
    kernel, bias = unit.hidden.get_weights()
    hidden = np.maximum(x @ kernel + bias, 0)
    kernel, bias = unit.gates[output].get_weights()
    return 2 / (1 + np.exp(-(hidden @ kernel + bias)))


def test_against_loops():
    model = made()
    assert model.wants().parts == ("page", "user")
    logits = model(INPUTS)
    for row in range(3):
        x, page, user = X[row], PARTS["page"][row], PARTS["user"][row]
        e = gate(model.embedding_gate, 0, np.concatenate([page, x])) * x
        for t, task in enumerate(TASKS):
            h = e
            for level in (0, 1):
                kernel, bias = model.networks[t][level].get_weights()
                of_level = gate(model.layer_gates[level], t, np.concatenate([user, page, e]))
                h = of_level * np.maximum(h @ kernel + bias, 0)
            kernel, bias = model.towers[t].get_weights()
            np.testing.assert_allclose(logits[task][row], (h @ kernel + bias)[0], rtol=1e-4, atol=1e-5)


def test_the_gates_train_the_prior_features_but_not_the_embeddings():
    """With networks that pass on 0, only a gate could bring x a gradient."""
    model = made(activation="linear")
    x, user = tf.constant(X), tf.constant(PARTS["user"])
    for network in model.networks:
        for layer in network:
            layer.kernel.assign(0 * layer.kernel)
            layer.bias.assign(1 + layer.bias)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([x, user])
        total = tf.reduce_sum(model(Encoded(x, parts={**PARTS, "user": user}))["a"])
    assert np.any(tape.gradient(total, user))
    np.testing.assert_array_equal(tape.gradient(total, x), np.zeros_like(X))


def test_without_prior_features_the_gates_read_x():
    model = made(domain=(), personal=())
    assert model.wants().parts == ()
    assert model.embedding_gate.hidden.kernel.shape == (5, 6)
