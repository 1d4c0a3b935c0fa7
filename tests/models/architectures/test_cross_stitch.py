import numpy as np
import pytest
from tasks import binary

from models.architectures.cross_stitch import CrossStitch
from models.architectures.encoded import Encoded
from models.recipe.errors import InputError


def test_by_hand():
    model = CrossStitch(binary("a", "b"), units=(1, 1), tower_units=())
    model.build(Encoded((None, 1)))
    for network, weight in zip(model.networks, [1.0, 2.0, 3.0, 1.0], strict=True):  # level 0: a, b; level 1: a, b
        network.set_weights([np.array([[weight]]), np.array([0.0])])
    model.stitches[0].set_weights([np.array([[0.5, 0.5], [0.0, 1.0]])])
    model.stitches[1].set_weights([np.array([[1.0, 0.0], [0.25, 0.5]])])
    for tower, bias in zip(model.towers, [0.0, 10.0], strict=True):
        tower.set_weights([np.array([[1.0]]), np.array([bias])])
    # x = 2: level 0 (2, 4) -> mixed (3, 4) -> level 1 (9, 4) -> mixed (9, 9/4 + 2)
    outputs = model(Encoded(np.array([[2.0]])))
    np.testing.assert_allclose([outputs["a"][0], outputs["b"][0]], [9.0, 14.25])


def test_refuses_no_layer():
    with pytest.raises(InputError, match="at least one layer to mix"):
        CrossStitch(binary("a", "b"), units=())
