import numpy as np
import pytest
import tensorflow as tf
from tasks import binary

from models.architectures.encoded import Encoded
from models.architectures.joint_many_task import JointManyTask
from models.architectures.task_info import TaskInfo

TASKS = (TaskInfo(name="order"), TaskInfo(name="click"), TaskInfo(name="dwell", kind="regression", outputs=2))
X = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")


def weights(layer):
    return [np.array(one) for one in layer.trainable_variables]


def test_the_equations_in_loops():
    """Label embeddings as the probability-weighted sum of one embedding per label; of a regression a dense layer."""
    model = JointManyTask(TASKS, order=("click", "dwell"), level_units=4, label_units=2, tower_units=())
    model.build(Encoded((None, 3)))
    random = np.random.default_rng(1)
    for one in model.trainable_variables:
        one.assign(random.normal(size=one.shape))
    logits = model(Encoded(X))
    for row, x in enumerate(X):
        h, labels = None, np.zeros(2)
        for level, task in enumerate((1, 2, 0)):
            kernel, bias = weights(model.shortcuts[level])
            total = x @ kernel + bias
            if level:
                kernel, bias = weights(model.lifts[level - 1])
                total = total + np.concatenate([h, labels]) @ kernel + bias
            h = np.maximum(total, 0.0)
            kernel, bias = weights(model.towers[task])
            outputs = h @ kernel + bias
            np.testing.assert_allclose(np.array(logits[model.names[task]])[row], np.squeeze(outputs), rtol=1e-4)
            if level == 0:
                kernel, no = weights(model.labels[0])
                yes, p = no + kernel[0], 1.0 / (1.0 + np.exp(-outputs[0]))
                labels = labels + p * yes + (1.0 - p) * no
            elif level == 1:
                kernel, bias = weights(model.labels[1])
                labels = labels + outputs @ kernel + bias


def moved(model, task):
    """Levels and towers that the task's loss moves."""
    with tf.GradientTape() as tape:
        logits = model(Encoded(X))[task]
    layers = [*model.shortcuts, *model.towers]
    found = tape.gradient(logits, [layer.trainable_variables[0] for layer in layers])
    tasks = len(model.tasks)
    places = [i for i, one in enumerate(found) if one is not None]
    return [i for i in places if i < tasks], [model.names[i - tasks] for i in places if i >= tasks]


@pytest.mark.parametrize(
    ("order", "upwards"),
    [((), "abc"), (("c",), "cab"), (("b", "c", "a"), "bca")],
)
def test_a_task_moves_its_level_and_those_below(order, upwards):
    model = JointManyTask(binary("a", "b", "c"), order=order)
    for level, task in enumerate(upwards):
        assert moved(model, task) == (list(range(level + 1)), [task])
