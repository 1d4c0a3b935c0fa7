import numpy as np
from tasks import binary

from models.architectures.encoded import Encoded
from models.architectures.omoe import OMoE


def test_by_hand():
    """Two experts of one unit under one gate, two tasks with linear towers."""
    model = OMoE(binary("a", "b"), experts=2, units=(1,), tower_units=())
    model.build(Encoded((None, 2)))
    model.shared.set_weights([np.array([[[1.0], [0.0]], [[0.0], [2.0]]]), np.array([[0.0], [1.0]])])
    model.gate.set_weights([np.array([[0.0, 0.0], [0.0, np.log(4.0)]]), np.zeros(2)])
    model.towers[0].set_weights([np.array([[2.0]]), np.array([0.0])])
    model.towers[1].set_weights([np.array([[1.0]]), np.array([-1.0])])
    x = np.array([[4.0, 1.0], [-3.0, 0.0]])
    # experts of x_0: relu(4) = 4, relu(2 + 1) = 3;  of x_1: relu(-3) = 0, relu(0 + 1) = 1
    # gate: x_0: softmax(0, log 4) = (1/5, 4/5);  x_1: (1/2, 1/2);  mixed: 3.2 and 0.5
    outputs, gates = model(Encoded(x)), model.gates(Encoded(x))
    np.testing.assert_allclose(outputs["a"], [6.4, 1.0], rtol=1e-6)
    np.testing.assert_allclose(outputs["b"], [2.2, -0.5], rtol=1e-6)
    np.testing.assert_allclose(gates["a"], [[0.2, 0.8], [0.5, 0.5]], rtol=1e-6)
    np.testing.assert_array_equal(gates["a"], gates["b"])
