import keras
import numpy as np
import pytest
import tensorflow as tf
from tasks import binary

from models.architectures.encoded import Encoded
from models.architectures.snr import SNR
from models.recipe.errors import InputError

X = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")


def gates_of(model):
    return [routing.gates for routing in (*model.between, *model.to_tasks)]


def fit(model, loss, variables, steps):
    optimizer = keras.optimizers.Adam(0.1)
    optimizer.build(variables)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            total = loss(model(Encoded(X), training=True)) + sum(model.losses)
        optimizer.apply_gradients(zip(tape.gradient(total, variables), variables, strict=True))

    for _ in range(steps):
        step()


def small(connection):
    """Levels h_1 = (x, 2 x) and h_2 = (relu(v_1), relu(10 - v_2)), and some connections."""
    model = SNR(binary("a", "b"), subnetworks=2, units=(1, 1), connection=connection, tower_units=())
    model.build(Encoded((None, 1)))
    model.levels[0].stack[0].set_weights([np.array([[[1.0]], [[2.0]]]), np.zeros((2, 1))])
    model.levels[1].stack[0].set_weights([np.array([[[1.0]], [[-1.0]]]), np.array([[0.0], [10.0]])])
    log3 = np.log(3.0)  # z: log 3 gives 0.8, 0 gives 0.5, 9 gives 1, and -9 gives 0
    model.between[0].gates.log_alpha.assign([[9.0, log3], [-9.0, 0.0]])
    model.to_tasks[0].gates.log_alpha.assign([[log3], [-9.0]])
    model.to_tasks[1].gates.log_alpha.assign([[0.0], [9.0]])
    for tower in model.towers:
        tower.set_weights([np.array([[1.0]]), np.array([0.0])])
    return model


def test_average_by_hand():
    # x = 3: v = (1 * 3, 0.8 * 3 + 0.5 * 6) = (3, 5.4): h = (3, 4.6). a = 0.8 * 3, b = 0.5 * 3 + 4.6.
    outputs = small("average")(Encoded(np.array([[3.0]])))
    np.testing.assert_allclose([outputs["a"][0], outputs["b"][0]], [2.4, 6.1], rtol=1e-5)


def test_transform_by_hand():
    model = small("transform")
    model.between[0].kernel.assign(np.reshape([2.0, 1.0, 5.0, 2.0], (2, 2, 1, 1)))
    model.to_tasks[0].kernel.assign(np.reshape([2.0, 7.0], (2, 1, 1, 1)))
    model.to_tasks[1].kernel.assign(np.reshape([1.0, 3.0], (2, 1, 1, 1)))
    # x = 3: v = (1 * 3 * 2, 0.8 * 3 * 1 + 0.5 * 6 * 2) = (6, 8.4): h = (6, 1.6). a = 0.8 * 6 * 2, b = 0.5 * 6 + 1.6 * 3.
    outputs = model(Encoded(np.array([[3.0]])))
    np.testing.assert_allclose([outputs["a"][0], outputs["b"][0]], [9.6, 7.8], rtol=1e-5)


def test_the_loss_term_by_hand():
    model = SNR(binary("a", "b"), subnetworks=2, units=(2, 2), strength=0.5)
    model(Encoded(X))
    # 2 * 2 connections between the levels and 2 to each task, each open with sigmoid(1.598597) = 0.831816
    assert len(model.losses) == 1
    assert float(model.losses[0]) == pytest.approx(0.5 * 8 * 0.831816, rel=1e-5)


def test_a_strong_loss_term_closes_every_connection():
    model = SNR(binary("a", "b"), subnetworks=2, units=(2, 2), strength=10.0)
    model(Encoded(X))
    fit(model, lambda logits: tf.reduce_mean((logits["a"] - X[:, 0]) ** 2), [g.log_alpha for g in gates_of(model)], 50)
    assert all(np.all(gates() == 0.0) for gates in gates_of(model))
    for logits in model(Encoded(X)).values():
        assert np.ptp(logits) == 0.0  # nothing of x is left


def test_the_useful_connection_stays_and_the_useless_one_closes():
    model = SNR(binary("a"), subnetworks=2, units=(1,), connection="average", tower_units=(), strength=0.05)
    model.build(Encoded((None, 3)))
    model.levels[0].stack[0].set_weights([np.array([[[1.0], [0], [0]], [[0], [1.0], [0]]]), np.zeros((2, 1))])
    model.towers[0].set_weights([np.array([[1.0]]), np.array([0.0])])
    target = np.maximum(X[:, 0], 0)  # the first sub-network alone
    fit(model, lambda logits: tf.reduce_mean((logits["a"] - target) ** 2), [model.to_tasks[0].gates.log_alpha], 150)
    useful, useless = model.to_tasks[0].gates()[:, 0].numpy()
    assert useful > 0.9
    assert useless == 0.0


def test_random_in_training_alone():
    model = SNR(binary("a", "b"), units=(4,))
    first, second = (model(Encoded(X), training=True)["a"] for _ in range(2))
    assert not np.allclose(first, second)
    np.testing.assert_array_equal(model(Encoded(X))["a"], model(Encoded(X), training=False)["a"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"units": ()}, "at least one level of sub-networks"),
        ({"connection": "sum"}, "connection transform or average, received 'sum'"),
        ({"strength": -1.0}, "strength of 0 or more, received -1"),
    ],
)
def test_refuses(options, message):
    with pytest.raises(InputError, match=message):
        SNR(binary("a", "b"), **options)
