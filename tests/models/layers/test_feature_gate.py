import numpy as np

from models.layers.feature_gate import FeatureGate


def test_by_hand():
    layer = FeatureGate(2, 1)
    layer.build((None, 2))
    layer.down.set_weights([np.array([[[1.0], [0.0]], [[0.0], [0.0]]]), np.zeros((2, 1))])
    layer.up.set_weights([np.array([[[np.log(3.0), 0.0]], [[1.0, 1.0]]]), np.zeros((2, 2))])
    # expert 0: v A = 1; 2 sigmoid(log 3, 0) = (3/2, 1);  expert 1: v A = 0; 2 sigmoid(0, 0) = (1, 1)
    np.testing.assert_allclose(layer(np.array([[1.0, 4.0]])), [[[1.5, 4.0], [1.0, 4.0]]], rtol=1e-6)


def test_starts_near_1_for_a_wide_input():
    layer, x = FeatureGate(3, 4), np.ones((2, 200), "float32")
    np.testing.assert_allclose(layer(x), np.ones((2, 3, 200)), atol=0.5)


def test_config_round_trip():
    layer = FeatureGate(3, 2, name="g")
    assert FeatureGate.from_config(layer.get_config()).get_config() == layer.get_config()
