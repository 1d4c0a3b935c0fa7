import numpy as np

from models.layers.gate import Gate, mix


def test_by_hand():
    layer = Gate(2)
    layer.build((None, 1))
    layer.set_weights([np.array([[0.0, 1.0]]), np.array([np.log(3.0), 0.0])])
    # x = 0: softmax(log 3, 0) = (3/4, 1/4);  x = log 3: softmax(log 3, log 3) = (1/2, 1/2)
    np.testing.assert_allclose(layer(np.array([[0.0], [np.log(3.0)]])), [[0.75, 0.25], [0.5, 0.5]], rtol=1e-6)


def test_mix_by_hand():
    gate = np.array([[0.75, 0.25]], "float32")
    experts = np.array([[[4.0, 0.0], [8.0, 4.0]]], "float32")
    np.testing.assert_allclose(mix(gate, experts), [[5.0, 1.0]])


def test_config_round_trip():
    assert Gate.from_config(Gate(3, name="g").get_config()).get_config() == Gate(3, name="g").get_config()
