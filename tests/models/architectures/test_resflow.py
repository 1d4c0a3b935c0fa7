import numpy as np
import pytest
import tensorflow as tf

from models.architectures.encoded import Encoded
from models.architectures.resflow import ResFlow
from models.architectures.task_info import TaskInfo

FUNNEL = (TaskInfo(name="order", after="cart"), TaskInfo(name="click"), TaskInfo(name="cart", after="click"))
X = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")


def test_by_hand():
    model = ResFlow(FUNNEL[1:], units=(1, 1))
    model.build(Encoded((None, 1)))
    weights = [(2.0, 0.0), (1.0, 1.0), (1.0, -5.0), (2.0, 0.0)]  # click: 2 x, h + 1; cart: x - 5, 2 h
    for network, (kernel, bias) in zip(model.networks, weights, strict=True):
        network.set_weights([np.array([[kernel]]), np.array([bias])])
    model.towers[0].set_weights([np.array([[1.0]]), np.array([0.5])])
    model.towers[1].set_weights([np.array([[-1.0]]), np.array([0.0])])
    logits = model(Encoded(np.array([[3.0], [6.0]])))
    # click: 6, 7; 12, 13. cart: relu(-2) + 6 = 6, 12 + 7 = 19; 1 + 12 = 13, 26 + 13 = 39.
    np.testing.assert_allclose(logits["click"], [7.5, 13.5])
    np.testing.assert_allclose(logits["cart"], [-19 + 7.5, -39 + 13.5])


def test_the_equations_of_three_tasks_in_loops():
    model = ResFlow(FUNNEL, units=(4, 3), activation="tanh")
    logits = model(Encoded(X))
    for row, x in enumerate(X):
        below, logit = None, 0.0
        for task in (1, 2, 0):
            h, levels = x, []
            for level, network in enumerate(model.network(task)):
                kernel, bias = map(np.array, network.trainable_variables)
                h = np.tanh(h @ kernel + bias) + (0.0 if below is None else below[level])
                levels.append(h)
            kernel, bias = map(np.array, model.towers[task].trainable_variables)
            below, logit = levels, logit + (h @ kernel + bias)[0]
            np.testing.assert_allclose(logits[model.names[task]][row], logit, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("about", [{"kind": "regression"}, {"outputs": 2}])
def test_logits_of_another_unit_do_not_add(about):
    tasks = (TaskInfo(name="click"), TaskInfo(name="value", after="click", **about))
    model = ResFlow(tasks, units=(4,))
    with tf.GradientTape(persistent=True) as tape:
        logits = model(Encoded(X))
    assert tape.gradient(logits["value"], model.towers[0].trainable_variables) == [None, None]
    assert tape.gradient(logits["value"], model.networks[0].trainable_variables)[0] is not None


def test_tasks_after_a_task_do_not_change_it():
    model = ResFlow(FUNNEL, units=(4, 3))
    with tf.GradientTape() as tape:
        click = model(Encoded(X))["click"]
    later = [one for task in (0, 2) for layer in model.network(task) for one in layer.trainable_variables]
    assert tape.gradient(click, later) == [None] * len(later)
