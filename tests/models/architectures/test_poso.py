import keras
import numpy as np
import tensorflow as tf
from tasks import binary

from models.architectures.encoded import Encoded
from models.architectures.poso import POSO


def made(**options) -> POSO:
    keras.utils.set_random_seed(3)
    return POSO(binary("a", "b"), **{"groups": 2, "units": (1,), "gate_units": 2, "tower_units": (), **options})


def test_by_hand():
    model = made(by=("age",))
    inputs = Encoded(np.array([[1.0, 2.0]], "f4"), parts={"age": np.array([[3.0]], "f4")})
    model(inputs)
    model.gate_hidden.set_weights([np.array([[1.0, -1.0]]), np.zeros(2)])  # relu: (3, 0)
    model.gate.set_weights([np.array([[0.0, np.log(3.0) / 3], [7.0, 7.0]]), np.zeros(2)])  # 1/2 and 3/4
    model.shared.stack[0].set_weights([np.array([[[1.0], [2.0]], [[2.0], [0.0]]]), np.array([[1.0], [0.0]])])  # 6, 2
    for tower, weight in zip(model.towers, (1.0, -2.0), strict=True):
        tower.set_weights([np.array([[weight]]), np.array([0.5])])
    # C = 2 / 2: y = 6 / 2 + 2 * 3/4 = 4.5
    logits = model(inputs)
    np.testing.assert_allclose([logits["a"][0], logits["b"][0]], [5.0, -8.5], rtol=1e-6)


def test_a_group_with_a_closed_gate_neither_adds_nor_learns():
    """Users of other features are not moved by a network whose gate is closed for them."""
    model = made(groups=3, by=("age",))
    inputs = Encoded(np.array([[1.0, 2.0]], "f4"), parts={"age": np.array([[3.0]], "f4")})
    model(inputs)
    model.gate.bias.assign([0.0, -200.0, 0.0])
    model.gate.kernel.assign(0 * model.gate.kernel)
    model.shared.stack[0].bias.assign([[9.0], [9.0], [9.0]])
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(model(inputs)["a"])
    moved = tape.gradient(total, model.shared.stack[0].kernel.value)
    assert [bool(np.any(of_group)) for of_group in moved] == [True, False, True]


def test_without_features_the_gates_read_x():
    model = made()
    assert model.wants().parts == ()
    model(Encoded(np.ones((1, 3), "f4")))
    assert model.gate_hidden.kernel.shape == (3, 2)
