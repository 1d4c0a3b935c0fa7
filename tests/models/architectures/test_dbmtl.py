import keras
import numpy as np
import pytest
import tensorflow as tf
from tasks import binary

from models.architectures.dbmtl import DBMTL
from models.architectures.encoded import Encoded
from models.architectures.task_info import TaskInfo

TASKS = ("order", "click", "cart", "like")
FUNNEL = (TaskInfo(name="order", after="click"), TaskInfo(name="click"))


def test_by_hand():
    model = DBMTL(FUNNEL, units=(1,), task_units=(1,), tower_units=(1,))
    model.build(Encoded((None, 1)))
    model.shared.set_weights([np.array([[[2.0]]]), np.array([[1.0]])])  # bottom: 2 x + 1
    model.networks[0].set_weights([np.array([[1.0]]), np.array([1.0])])  # order: 2 x + 2
    model.networks[1].set_weights([np.array([[3.0]]), np.array([0.0])])  # click: 6 x + 3
    one = [np.array([[1.0]]), np.array([-1.0])]
    model.towers[1].set_weights([*one, np.array([[2.0]]), np.array([0.5])])  # hidden: 6 x + 2, logit: 12 x + 4.5
    both = [np.array([[10.0], [1.0]]), np.array([0.0])]  # its own, then click's: 20 x + 20 + 6 x + 2
    model.towers[0].set_weights([*both, np.array([[-1.0]]), np.array([0.0])])
    logits = model(Encoded(np.array([[1.0]])))
    np.testing.assert_allclose(logits["click"], [16.5])
    np.testing.assert_allclose(logits["order"], [-48.0])


def test_the_gates_mix_the_experts_by_hand():
    model = DBMTL(binary("a", "b"), experts=2, units=(1,), task_units=(), tower_units=())
    model.build(Encoded((None, 1)))
    model.shared.set_weights([np.array([[[1.0]], [[10.0]]]), np.zeros((2, 1))])
    model.task_gates[0].set_weights([np.array([[0.0, np.log(3.0)]]), np.zeros(2)])  # 1/4, 3/4 for x = 1
    model.towers[0].set_weights([np.array([[1.0]]), np.array([0.0])])
    x = Encoded(np.array([[1.0]]))
    np.testing.assert_allclose(model(x)["a"], [7.75], rtol=1e-6)
    np.testing.assert_allclose(model.gates(x)["a"], [[0.25, 0.75]], rtol=1e-6)
    assert DBMTL(binary("a", "b")).gates(x) == {}


@pytest.mark.parametrize("tower_units", [(), (3,)])
@pytest.mark.parametrize(
    ("options", "reads"),
    [
        ({}, {"order": "order cart click", "click": "click", "cart": "cart click", "like": "like click"}),
        (
            {"parents": {"order": ("click", "like"), "like": ["cart"]}},
            {"order": "order click like cart", "click": "click", "cart": "cart", "like": "like cart"},
        ),
    ],
)
def test_a_task_reads_its_parents_and_theirs(options, reads, tower_units):
    """Gradients: a task's loss moves the networks of the tasks upstream, and of no other."""
    tasks = (
        TaskInfo(name="order", after="cart"),
        TaskInfo(name="click"),
        TaskInfo(name="cart", after="click"),
        TaskInfo(name="like", after="click"),
    )
    keras.utils.set_random_seed(1)
    model = DBMTL(tasks, units=(4,), task_units=(4,), tower_units=tower_units, activation="tanh", **options)
    with tf.GradientTape(persistent=True) as tape:
        logits = model(Encoded(np.random.default_rng(0).normal(size=(5, 3)).astype("float32")))
    for task, read in reads.items():
        moved = [
            name
            for name, network in zip(TASKS, model.networks, strict=True)
            if tape.gradient(logits[task], network.trainable_variables)[0] is not None
        ]
        assert set(moved) == set(read.split()), task
