import keras
import numpy as np
import pytest
import tensorflow as tf
from tasks import binary

from models.architectures.deep_relationship import DeepRelationship
from models.architectures.encoded import Encoded
from models.architectures.task_info import TaskInfo
from models.recipe.errors import InputError

X = Encoded(np.random.default_rng(0).normal(size=(64, 6)).astype("float32"))


def linear(**options):
    """One linear layer per task on x, and its prior."""
    made = DeepRelationship(binary("a", "b", "c"), units=(), tower_units=(), **options)
    made.build(Encoded((None, 6)))
    return made


def set_kernels(made, rows):
    for tower, row in zip(made.towers, rows, strict=True):
        tower.logit.kernel.assign(np.float32(row)[:, None])


def test_the_term_is_the_likelihood_of_the_matrix_normal_distribution():
    made = DeepRelationship(binary("a", "b", "c"), units=(5,), tower_units=(4,), strength=0.5, ridge=0.2)
    made(X, training=True)
    expected = 0.0
    for layers in ([tower.hidden.dense[0] for tower in made.towers], [tower.logit for tower in made.towers]):
        w = np.stack([layer.kernel.numpy().ravel() for layer in layers]).astype(np.float64)
        s = w @ w.T / w.shape[1]
        s += 0.2 * np.trace(s) / 3 * np.eye(3)
        normal = 0.0
        for column in w.T:  # independent columns with covariance s, without (2 pi)^(T / 2)
            normal -= 0.5 * column @ np.linalg.inv(s) @ column + 0.5 * np.log(np.linalg.det(s))
        expected -= 0.5 * normal
    assert float(made.losses[0]) == pytest.approx(expected, rel=1e-4)


def test_the_covariance_by_hand_changes_only_in_training():
    made = linear(ridge=0.5)
    np.testing.assert_array_equal(made.covariances[0], np.eye(3))
    set_kernels(made, [[1, 0, 0, 0, 0, 0], [2, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0]])
    made(X)
    np.testing.assert_array_equal(made.covariances[0], np.eye(3))
    made(X, training=True)
    # W W' / 6, and half of the mean of its diagonal, (1 + 4 + 1) / 6 / 3, on the diagonal.
    expected = np.array([[1, 2, 0], [2, 4, 0], [0, 0, 1]]) / 6 + np.eye(3) / 6
    np.testing.assert_allclose(made.covariances[0], expected, rtol=1e-5, atol=1e-7)
    # 2 / sqrt(2 * 5)
    np.testing.assert_allclose(made.task_correlations()[0][0], [1, 2 / np.sqrt(10), 0], rtol=1e-5, atol=1e-6)


def test_it_learns_that_two_tasks_are_equal_and_one_is_opposite():
    keras.utils.set_random_seed(1)
    made = linear(strength=1e-3, ridge=0.01)
    direction = np.random.default_rng(1).normal(size=6)
    labels = np.float32((X.x @ direction > 0)[:, None] == [True, True, False])
    made(X, training=True)
    start = made.task_correlations()[0].numpy()

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            logits = tf.stack(list(made(X, training=True).values()), axis=1)
            loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels, logits)) + made.losses[-1]
        for variable, gradient in zip(
            made.trainable_variables, tape.gradient(loss, made.trainable_variables), strict=True
        ):
            variable.assign_sub(gradient)

    for _ in range(100):
        step()
    learned = made.task_correlations()[0].numpy()
    np.testing.assert_allclose(learned, [[1, 1, -1], [1, 1, -1], [-1, -1, 1]], atol=0.1)
    assert np.abs(np.abs(start[np.triu_indices(3, 1)])).max() < 0.8


def test_the_prior_pulls_a_task_towards_its_twin_and_away_from_its_opposite():
    made = linear(strength=1.0, ridge=0.01)
    shared, noise = np.eye(6)[0], np.eye(6)[1]
    set_kernels(made, [shared, shared, -shared + 0.1 * noise])
    with tf.GradientTape() as tape:
        made(X, training=True)
        term = made.losses[0]
    gradient = tape.gradient(term, made.towers[2].logit.kernel.value).numpy().ravel()
    # Per unit of weight, what the other tasks have not is drawn to 0 faster than what they have.
    assert gradient[1] / 0.1 > 5 * gradient[0] / -1.0 > 0


def test_a_layer_of_unequal_shapes_has_no_prior():
    tasks = (TaskInfo(name="click"), TaskInfo(name="value", kind="regression", outputs=3))
    made = DeepRelationship(tasks, units=(5,), tower_units=(4,))
    made.build(Encoded((None, 6)))
    assert len(made.covariances) == 1


def test_under_jit_compile_in_training():
    made = linear(strength=0.5)

    def term():
        made(X, training=True)
        return made.losses[-1]

    np.testing.assert_allclose(tf.function(term, jit_compile=True)(), term(), rtol=1e-4)


@pytest.mark.parametrize(
    ("options", "words"),
    [({"strength": -1.0}, "strength of 0 or more, received -1"), ({"ridge": 0.0}, "ridge above 0, received 0")],
)
def test_refuses_wrong_options(options, words):
    with pytest.raises(InputError, match=words):
        DeepRelationship(binary("a", "b"), **options)
