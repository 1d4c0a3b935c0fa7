import numpy as np
from tasks import binary

from models.architectures.encoded import Encoded
from models.architectures.shared_bottom import SharedBottom


def test_by_hand():
    model = SharedBottom(binary("a", "b"), units=(1,), tower_units=())
    model.build(Encoded((None, 2)))
    model.bottom.set_weights([np.array([[1.0], [2.0]]), np.array([1.0])])
    model.towers[0].set_weights([np.array([[2.0]]), np.array([0.0])])
    model.towers[1].set_weights([np.array([[-1.0]]), np.array([3.0])])
    outputs = model(Encoded(np.array([[1.0, 2.0], [-9.0, 0.0]])))  # bottom: relu(6) = 6, relu(-8) = 0
    np.testing.assert_allclose(outputs["a"], [12.0, 0.0])
    np.testing.assert_allclose(outputs["b"], [-3.0, 3.0])


def test_towers_of_uneven_depth():
    model = SharedBottom(binary("a", "b", "c"), units=(4,), tower_units=(3,), towers={"b": (), "c": [5, 2]})
    assert [tower.units for tower in model.towers] == [(3,), (), (5, 2)]
    assert SharedBottom.from_config(model.get_config()).get_config() == model.get_config()
