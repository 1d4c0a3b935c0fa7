import keras
import numpy as np
import pytest
import tensorflow as tf
from tasks import binary

from models.architectures.encoded import Encoded
from models.architectures.mtan import MTAN
from models.recipe.errors import InputError

X = np.random.default_rng(0).normal(size=(6, 5)).astype("float32")


def made():
    keras.utils.set_random_seed(3)
    model = MTAN(binary("a", "b"), units=(4, 3), mask_units=2, tower_units=())
    model(Encoded(X))
    return model


def dense(layer, x):
    kernel, bias = layer.get_weights()
    return x @ kernel + bias


def test_against_loops():
    model = made()
    logits = model(Encoded(X))
    for row, x in enumerate(X):
        shared = []
        for layer in model.shared:
            x = np.maximum(dense(layer, x), 0)
            shared.append(x)
        for t, task in enumerate(("a", "b")):
            read = shared[0]
            for level in (0, 1):
                hidden = np.maximum(dense(model.hidden[2 * level + t], read), 0)
                mask = 1 / (1 + np.exp(-dense(model.masks[2 * level + t], hidden)))
                masked = mask * shared[level]
                read = np.concatenate([shared[-1], masked])
            np.testing.assert_allclose(logits[task][row], dense(model.towers[t], masked)[0], rtol=1e-4, atol=1e-5)


def test_a_closed_mask_hides_a_unit_from_its_task_alone():
    model = made()
    # The last layer's, of the first task.
    model.masks[2].set_weights([np.zeros((2, 3)), np.array([-200.0, 0.0, 200.0])])
    with tf.GradientTape(persistent=True) as tape:
        logits = model(Encoded(X))
        sums = {task: tf.reduce_sum(tf.sin(one)) for task, one in logits.items()}
    kernels = {task: tape.gradient(one, model.shared[1].trainable_variables[0]).numpy() for task, one in sums.items()}
    assert np.any(kernels["b"][:, 0])
    assert not np.any(kernels["a"][:, 0])
    assert np.any(kernels["a"][:, 1:])


def test_a_task_moves_its_own_masks_alone():
    model = made()
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.sin(model(Encoded(X))["a"]))
    found = tape.gradient(loss, [layer.kernel.value for layer in (*model.hidden, *model.masks)])
    assert [gradient is not None for gradient in found] == [True, False, True, False] * 2


@pytest.mark.parametrize("options", [{"units": ()}, {"mask_units": 0}])
def test_refuses(options):
    with pytest.raises(InputError, match="at least one layer to mask and 1 mask unit or more"):
        MTAN(binary("a", "b"), **options)
