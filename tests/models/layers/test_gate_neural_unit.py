import numpy as np
import tensorflow as tf

from models.layers.gate_neural_unit import GateNeuralUnit


def test_by_hand():
    layer = GateNeuralUnit(2, (1, 2))
    layer.build((None, 2))
    layer.hidden.set_weights([np.array([[1.0, -1.0], [0.0, 1.0]]), np.array([0.5, 0.0])])
    layer.gates[0].set_weights([np.array([[2.0], [9.0]]), np.array([-3.0])])
    layer.gates[1].set_weights([np.array([[0.0, 1.0], [0.0, 0.0]]), np.array([0.0, np.log(3.0) - 1.5])])
    # hidden: relu(1 + 0.5, -1 + 0.5) = (1.5, 0); 2 sigmoid(0) = 1 and 2 sigmoid(log 3) = 2 * 3/4
    first, second = layer(np.array([[1.0, 0.5]]))
    np.testing.assert_allclose(first, [[1.0]])
    np.testing.assert_allclose(second, [[1.0, 1.5]], rtol=1e-6)


def test_in_half_precision():
    outputs = GateNeuralUnit(2, (1, 2), dtype="mixed_bfloat16")(tf.ones((3, 4)))
    assert [(one.dtype, one.shape) for one in outputs] == [("bfloat16", (3, 1)), ("bfloat16", (3, 2))]
