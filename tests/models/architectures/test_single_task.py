import numpy as np
from tasks import binary

from models.architectures.encoded import Encoded
from models.architectures.single_task import SingleTask


def test_by_hand():
    model = SingleTask(binary("a", "b"), units=(1,), tower_units=())
    model.build(Encoded((None, 1)))
    model.networks[0].set_weights([np.array([[2.0]]), np.array([0.0])])
    model.networks[1].set_weights([np.array([[-1.0]]), np.array([0.0])])
    for tower in model.towers:
        tower.set_weights([np.array([[1.0]]), np.array([1.0])])
    outputs = model(Encoded(np.array([[3.0]])))
    np.testing.assert_allclose([outputs["a"][0], outputs["b"][0]], [7.0, 1.0])
