import keras
import numpy as np
import pytest
import tensorflow as tf
from tasks import binary

from models.architectures.encoded import Encoded
from models.architectures.ltb import LTB
from models.recipe.errors import InputError

X = np.random.default_rng(0).normal(size=(16, 5)).astype("float32")
TASKS = ("a", "b", "c")


def made(**options):
    keras.utils.set_random_seed(3)
    model = LTB(binary(*TASKS), **{"units": (4, 3), "tower_units": (), **options})
    model(Encoded(X))
    return model


def dense(layer, node, x):
    kernel, bias = layer.stack[0].get_weights()
    return np.maximum(x @ kernel[node] + bias[node], 0)


def test_against_the_path_of_each_task():
    model = made()
    random = np.random.default_rng(1)
    for choice in (*model.parents, *model.task_parents):
        choice.logits.assign(random.normal(size=choice.logits.shape))
    logits = model(Encoded(X))
    for t, task in enumerate(TASKS):
        last = int(np.argmax(model.task_parents[t].logits[0]))
        first = int(np.argmax(model.parents[0].logits[last]))
        x = dense(model.levels[1], last, dense(model.levels[0], first, X))
        kernel, bias = model.towers[t].get_weights()
        np.testing.assert_allclose(logits[task], (x @ kernel + bias)[:, 0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("training", [False, True])
def test_each_node_and_each_task_has_exactly_one_parent(training):
    for choice in [*made(units=(4, 3, 2)).parents, *made().task_parents]:
        choices = choice.choices(training).numpy()
        assert set(np.unique(choices)) == {0.0, 1.0}
        np.testing.assert_array_equal(choices.sum(axis=1), 1)


def test_starts_with_a_path_of_its_own_for_each_task():
    model = made()
    assert [int(np.argmax(choice.logits)) for choice in model.task_parents] == [0, 1, 2]
    np.testing.assert_array_equal(model.parents[0].choices(), np.eye(3))


def test_a_task_moves_the_layers_of_its_path_alone():
    model = made()
    model.task_parents[0].logits.assign([[0.0, 0.0, 1.0]])
    model.parents[0].logits.assign([[0, 0, 0], [0, 0, 0], [0, 1.0, 0]])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.sin(model(Encoded(X))["a"]))
    first, second = tape.gradient(loss, [level.stack[0].kernel.value for level in model.levels])
    assert [bool(np.any(gradient)) for gradient in first] == [False, True, False]
    assert [bool(np.any(gradient)) for gradient in second] == [False, False, True]


def test_a_task_finds_the_node_that_serves_it():
    model = made(units=(1,))
    model.levels[0].stack[0].set_weights([np.eye(5)[:3, :, None], np.zeros((3, 1))])  # node j gives relu(x_j)
    for tower in model.towers:
        tower.set_weights([np.array([[1.0]]), np.array([0.0])])
    logits = [choice.logits for choice in model.task_parents]
    optimizer = keras.optimizers.Adam(0.1)
    optimizer.build(logits)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            outputs = model(Encoded(X), training=True)
            wanted = {"a": 2, "b": 2, "c": 0}
            loss = sum(tf.reduce_mean((outputs[t] - tf.nn.relu(X[:, node])) ** 2) for t, node in wanted.items())
        optimizer.apply_gradients(zip(tape.gradient(loss, logits), logits, strict=True))

    for _ in range(100):
        step()
    assert [int(np.argmax(one)) for one in logits] == [2, 2, 0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"units": ()}, "at least one level of nodes"),
        ({"temperature": 0.0}, "temperature and anneal_steps above 0, received temperature=0.0"),
        ({"anneal_steps": 0}, "temperature and anneal_steps above 0"),
    ],
)
def test_refuses(options, message):
    with pytest.raises(InputError, match=message):
        LTB(binary("a", "b"), **options)
