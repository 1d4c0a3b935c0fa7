import itertools

import numpy as np
import pytest
import tensorflow as tf
from funnel import clicked, cross_entropy, sigmoid

from models.losses.binary_crossentropy import BinaryCrossentropy
from models.objectives.escm2 import ESCM2

LOSS = BinaryCrossentropy()


def test_weighs_the_clicked_by_their_inverse_propensity():
    batch = clicked([1, 1, 0, 1], [0.5, 0.2, 0.8, 1e-6], [0.0, 2.0, -1.0, 1.0], [1, 0, 0, 1])
    values = ESCM2(clip=0.1).values(batch, LOSS)
    own = cross_entropy(np.array([1, 0, 1]), sigmoid([0.0, 2.0, 1.0]))
    np.testing.assert_allclose(values, [2 * own[0], 5 * own[1], 0.0, 10 * own[2]], rtol=1e-5)


def test_normalized_weights_have_the_mean_1_over_all_impressions():
    batch = clicked([1, 1, 0, 1], [0.5, 0.2, 0.8, 0.9], [0.0] * 4, [1, 0, 0, 1], weights=[1, 2, 3, 0])
    weights = ESCM2(normalized=True).importance(batch.given).numpy()
    assert np.average(weights, weights=[1, 2, 3, 0]) == pytest.approx(1.0)
    assert weights[1] / weights[0] == pytest.approx(2.5) and weights[2] == 0.0


def expected_loss(objective, propensity, of_model, logits, labels, imputed):
    """The mean of the loss that both clicked and unclicked examples have, over all draws of the clicks; without the tower's part."""
    total = 0.0
    for clicks in itertools.product([0, 1], repeat=len(propensity)):
        chance = np.prod(np.where(clicks, propensity, 1 - propensity))
        with tf.GradientTape() as tape:
            batch = clicked(clicks, of_model, logits, labels, towers={"imputed": imputed})
            tape.watch(batch.logits)
            value = tf.reduce_sum(objective.values(batch, LOSS))
        total = total + chance * tape.gradient(value, batch.logits).numpy()
    return total


PROPENSITY, LOGITS, LABELS = np.array([0.5, 0.2, 0.8]), np.array([0.3, -1.0, 2.0]), np.array([1.0, 0.0, 0.0])
UNBIASED = sigmoid(LOGITS) - LABELS  # gradient of the cross-entropy on every example, clicked or not


@pytest.mark.parametrize(
    ("risk", "of_model", "imputed", "unbiased"),
    [
        ("ipw", PROPENSITY, np.zeros(3), True),
        ("ipw", PROPENSITY / 2, np.zeros(3), False),
        ("dr", PROPENSITY, np.zeros(3), True),
        ("dr", PROPENSITY / 2, np.where(LABELS > 0, 40.0, -40.0), True),
        ("dr", PROPENSITY / 2, np.zeros(3), False),
    ],
    ids=["ipw", "ipw, wrong propensity", "dr, wrong label", "dr, wrong propensity", "dr, both wrong"],
)
def test_has_the_gradient_of_all_impressions_on_average_over_the_clicks(risk, of_model, imputed, unbiased):
    gradient = expected_loss(ESCM2(risk=risk), PROPENSITY, of_model, LOGITS, LABELS, imputed)
    assert np.allclose(gradient, UNBIASED, atol=1e-4) == unbiased


def test_the_tower_learns_the_loss_of_the_clicked_and_moves_nothing_else():
    batch = clicked([1, 0], [0.5, 0.5], [0.4, 0.4], [1, 0], towers={"imputed": [-1.0, -1.0]})
    with tf.GradientTape() as tape:
        tape.watch(batch.towers["imputed"])
        value = tf.reduce_sum(ESCM2(risk="dr").values(batch, LOSS))
    gradient = tape.gradient(value, batch.towers["imputed"]).numpy()
    # The label r = sigmoid(-1) is below 1, and the loss at r is above that at 1: r rises. d e / d r = -z.
    r, own = sigmoid(-1.0), cross_entropy(1.0, sigmoid(0.4))
    off = own - cross_entropy(r, sigmoid(0.4))
    np.testing.assert_allclose(gradient, [2.0 * 2.0 * -off * -0.4 * r * (1 - r), 0.0], rtol=1e-4)
    assert gradient[0] < 0


def test_the_propensity_is_constant():
    logit = tf.Variable([0.2])
    with tf.GradientTape() as tape:
        batch = clicked([1], [0.5], [0.4], [1])
        given = batch.given._replace(log_propensity=tf.math.log_sigmoid(logit))
        value = tf.reduce_sum(ESCM2().values(batch._replace(given=given), LOSS))
    assert tape.gradient(value, logit) is None
