import numpy as np
import tensorflow as tf
from funnel import clicked, cross_entropy, sigmoid

from models.losses.binary_crossentropy import BinaryCrossentropy
from models.objectives.dcmt import DCMT


def test_by_hand():
    clicks, propensity, logits, orders = (
        np.array([1, 1, 0, 0]),
        np.array([0.5, 0.25, 0.5, 0.2]),
        [0.0, 1.0, -1.0, 2.0],
        [1, 0, 0, 0],
    )
    twin = np.array([0.5, -0.5, 1.0, -2.0])
    batch = clicked(clicks, propensity, logits, orders, towers={"counterfactual": twin})
    values = DCMT(prior=0.1, global_weight=0.5).values(batch, BinaryCrossentropy())
    # 1 / p: 2 and 4, mean 6 / 4; 1 / (1 - p): 2 and 1.25, mean 3.25 / 4.
    factual = np.array([2, 4, 0, 0]) / 1.5 * cross_entropy(np.array(orders), sigmoid(logits))
    counterfactual = np.array([0, 0, 2, 1.25]) / 0.8125 * cross_entropy(1, sigmoid(twin))
    apart = np.abs(1 - sigmoid(logits) - sigmoid(twin))
    whole = cross_entropy(np.array(orders), propensity * sigmoid(logits))
    np.testing.assert_allclose(values, factual + counterfactual + 0.1 * apart + 0.5 * whole, rtol=1e-4)


def test_the_unclicked_move_the_task_through_the_prior_only():
    batch = clicked([0, 1], [0.5, 0.5], [0.3, 0.3], [0, 1], towers={"counterfactual": [1.0, 1.0]})

    def gradient(**options):
        with tf.GradientTape() as tape:
            tape.watch(batch.logits)
            value = tf.reduce_sum(DCMT(global_weight=0.0, **options).values(batch, BinaryCrossentropy()))
        return tape.gradient(value, batch.logits).numpy()

    assert gradient(prior=0.0)[0] == 0.0
    assert gradient(prior=1.0)[0] > 0  # y + y* is above 1, so y falls
