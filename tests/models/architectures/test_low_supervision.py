import numpy as np
import pytest
import tensorflow as tf
from tasks import binary

from models.architectures.encoded import Encoded
from models.architectures.low_supervision import LowSupervision
from models.recipe.errors import InputError


def test_by_hand():
    model = LowSupervision(binary("a", "b"), units=(1, 1), level={"b": 1}, tower_units=())
    model.build(Encoded((None, 2)))
    model.shared[0].set_weights([np.array([[1.0], [2.0]]), np.array([1.0])])  # relu(1 + 4 + 1) = 6
    model.shared[1].set_weights([np.array([[-0.5]]), np.array([10.0])])  # relu(-3 + 10) = 7
    model.towers[0].set_weights([np.array([[2.0]]), np.array([0.0])])
    model.towers[1].set_weights([np.array([[-1.0]]), np.array([3.0])])
    logits = model(Encoded(np.array([[1.0, 2.0]])))
    np.testing.assert_allclose(logits["a"], [14.0])
    np.testing.assert_allclose(logits["b"], [-3.0])


def test_a_task_moves_no_layer_above_its_level():
    levels = {"a": 1, "c": 2}
    model = LowSupervision(binary("a", "b", "c"), units=(4, 3, 2), level=levels, activation="tanh")
    with tf.GradientTape(persistent=True) as tape:
        logits = model(Encoded(np.ones((2, 3), "float32")))
    for task in ("a", "b", "c"):
        moved = [tape.gradient(logits[task], layer.trainable_variables)[0] is not None for layer in model.shared]
        level = levels.get(task, 3)
        assert moved == [True] * level + [False] * (3 - level), task


@pytest.mark.parametrize("level", [0, 3])
def test_refuses_a_level_without_a_layer(level):
    with pytest.raises(InputError, match=f"expected a level from 1 to 2, .* for the task 'b', received {level}"):
        LowSupervision(binary("a", "b"), units=(4, 3), level={"b": level})
