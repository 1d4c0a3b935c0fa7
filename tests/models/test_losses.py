import numpy as np
import pytest
import tensorflow as tf

from models.loss_names import LOSS_KINDS
from models.losses import LOSSES, task_loss, weighted_mean


@pytest.mark.parametrize(
    ("name", "logit", "label", "value", "prediction"),
    [
        # sigmoid(log 3) = 3/4
        ("binary_crossentropy", np.log(3), 1.0, -np.log(0.75), 0.75),
        ("binary_crossentropy", np.log(3), 0.0, -np.log(0.25), 0.75),
        ("binary_crossentropy", np.log(3), 0.5, -0.5 * np.log(0.75) - 0.5 * np.log(0.25), 0.75),
        ("binary_crossentropy", 1000.0, 0.0, 1000.0, 1.0),
        ("binary_crossentropy", -1000.0, 0.0, 0.0, 0.0),
        ("squared_error", 3.0, 1.0, 4.0, 3.0),
        ("absolute_error", 3.0, 5.0, 2.0, 3.0),
        ("huber", 1.5, 1.0, 0.125, 1.5),
        ("huber", -3.0, 1.0, 3.5, -3.0),
        ("squared_log_error", 1.0, np.e**3 - 1, 4.0, np.e - 1),
        # e^z - y z - y + y log y at z = log 2, y = 4: 2 - 4 log 2 - 4 + 4 log 4
        ("poisson", np.log(2), 4.0, 2 - 4 * np.log(2) - 4 + 4 * np.log(4), 2.0),
        ("poisson", np.log(2), 0.0, 2.0, 2.0),
        ("poisson", np.log(4), 4.0, 0.0, 4.0),
    ],
)
def test_by_hand(name, logit, label, value, prediction):
    loss = LOSSES[name]
    np.testing.assert_allclose(loss.value(np.float32([logit]), np.float32([label])), [value], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(loss.prediction(np.float32([logit])), [prediction], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "logit", "label", "slope"),
    [
        ("binary_crossentropy", 0.0, 1.0, -0.5),  # sigmoid(z) - y
        ("binary_crossentropy", 0.0, 0.0, 0.5),
        ("binary_crossentropy", np.log(3), 1.0, -0.25),
        ("binary_crossentropy", 1000.0, 0.0, 1.0),
        ("binary_crossentropy", -1000.0, 1.0, -1.0),
        ("squared_error", 3.0, 1.0, 4.0),
        ("absolute_error", 3.0, 5.0, -1.0),
        ("huber", 1.5, 1.0, 0.5),
        ("huber", -3.0, 1.0, -1.0),
        ("huber", 1.0, 1.0, 0.0),
        ("squared_log_error", 1.0, np.e**3 - 1, -4.0),
        ("poisson", np.log(2), 4.0, -2.0),  # exp(z) - y
        ("poisson", np.log(2), 0.0, 2.0),
    ],
)
def test_gradient_by_hand(name, logit, label, slope):
    logits = tf.Variable([float(logit)])
    with tf.GradientTape() as tape:
        value = LOSSES[name].value(logits, tf.constant([float(label)]))
    np.testing.assert_allclose(tape.gradient(value, logits), [slope], rtol=1e-5, atol=1e-6)


def test_the_tables_agree():
    assert {name: loss.kind for name, loss in LOSSES.items()} == LOSS_KINDS


@pytest.mark.parametrize("name", LOSSES)
def test_is_least_at_its_own_prediction(name):
    """The link belongs to the loss: where prediction(z) = y, the loss of y is at its minimum over z."""
    z = np.linspace(-2, 2, 401).astype("float32")
    label = np.asarray(LOSSES[name].prediction(np.float32([0.5])))
    values = np.asarray(LOSSES[name].value(z, np.broadcast_to(label, z.shape)))
    assert z[values.argmin()] == pytest.approx(0.5, abs=0.02)
    assert (values >= -1e-6).all()


def test_weighted_mean_by_hand():
    assert weighted_mean(np.float32([1, 5, 100]), np.float32([3, 1, 0])) == 2.0


def test_weighted_mean_of_nothing_is_0():
    assert weighted_mean(np.float32([np.nan, 5]), np.float32([0, 0])) == 0.0
    assert weighted_mean(np.float32([np.nan, 5]), np.float32([0, 2])) == 5.0


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("label", [np.nan, np.inf, -5.0])
def test_masked_rows_move_nothing(name, label):
    """Whatever stands in a row of weight 0: labels that are no number, logits whose exp overflows."""
    logits = tf.Variable([0.5, 200.0, 1.0])
    labels, weights = tf.constant([1.0, label, 1.0]), tf.constant([1.0, 0.0, 3.0])
    with tf.GradientTape() as tape:
        loss = task_loss(LOSSES[name], logits, labels, weights)
    gradient = tape.gradient(loss, logits).numpy()
    values = np.asarray(LOSSES[name].value(np.float32([0.5, 1.0]), np.float32([1, 1])))
    np.testing.assert_allclose(loss, (values[0] + 3 * values[1]) / 4, rtol=1e-6)
    assert np.isfinite(gradient).all()
    assert gradient[1] == 0
    assert gradient[0] != 0


@pytest.mark.parametrize("name", LOSSES)
def test_an_empty_mask_gives_0_and_no_gradient(name):
    logits = tf.Variable([0.5, 200.0])
    with tf.GradientTape() as tape:
        loss = task_loss(LOSSES[name], logits, tf.constant([np.nan, 1.0]), tf.zeros(2))
    assert loss == 0
    np.testing.assert_array_equal(tape.gradient(loss, logits), [0, 0])
