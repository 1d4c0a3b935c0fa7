import numpy as np
import pytest

from models.layers.routing import Routing

X = np.random.default_rng(0).normal(size=(4, 3, 2)).astype("float32")


@pytest.mark.parametrize("transform", [True, False])
def test_against_loops(transform):
    layer = Routing(3, 2, transform=transform)
    layer.build(X.shape)
    layer.gates.log_alpha.assign(np.random.default_rng(1).normal(size=(3, 2)))
    z, out = layer.gates().numpy(), layer(X)
    matrices = layer.kernel.numpy() if transform else np.broadcast_to(np.eye(2), (3, 2, 2, 2))
    assert out.shape == layer.compute_output_shape(X.shape) == (4, 2, 2)
    for row in range(4):
        for j in range(2):
            expected = sum(z[i, j] * (X[row, i] @ matrices[i, j]) for i in range(3))
            np.testing.assert_allclose(out[row, j], expected, rtol=1e-4, atol=1e-6)


def test_each_matrix_is_drawn_for_its_own_size():
    layer = Routing(4, 4)
    layer.build((None, 4, 50))
    assert np.std(layer.kernel) == pytest.approx(1 / np.sqrt(50), rel=0.05)  # Glorot: 2 / (in + out)
    assert not np.allclose(layer.kernel[0, 0], layer.kernel[1, 0])


def test_round_trip():
    config = Routing(3, 2, transform=False).get_config()
    again = Routing.from_config(config)
    assert (again.networks, again.readers, again.transform) == (3, 2, False)
