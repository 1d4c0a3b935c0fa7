import numpy as np

from models.layers.softmax_gate import SoftmaxGate


def test_by_hand():
    layer = SoftmaxGate(2, 2)
    layer.build((None, 1))
    layer.set_weights([np.array([[0.0, 1.0]]), np.array([np.log(3.0), 0.0])])
    # x = 0: softmax(log 3, 0) = (3/4, 1/4);  x = log 3: softmax(log 3, log 3) = (1/2, 1/2)
    shares, penalty = layer(np.array([[0.0], [np.log(3.0)]]))
    np.testing.assert_allclose(shares, [[0.75, 0.25], [0.5, 0.5]], rtol=1e-6)
    assert penalty == 0.0


def test_config_round_trip():
    layer = SoftmaxGate(3, 2, name="g")
    assert SoftmaxGate.from_config(layer.get_config()).get_config() == layer.get_config()
