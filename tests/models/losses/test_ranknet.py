from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from group_losses import expected_gradient

from models.losses.ranknet import RankNet

# Each example is a group of its own: sigmoid(-log 3) is the mean.
OPTIMUM = ((0.0, 0.0, 0.0, 1.0), -np.log(3), 0.25)


def test_by_hand() -> None:
    """A positive with logit log 3 over negatives with logits 0 and log 6: log(4/3) and log 3, on average log 2."""
    logits = np.log(np.float32([3, 1, 6, 5]))
    found = RankNet(share=0.25).group_value(
        tf.constant(logits), np.float32([1, 0, 0, 1]), np.ones(4, "float32"), np.int32([7, 7, 7, 0])
    )
    entropy = -np.log([3 / 4, 1 / 2, 1 / 7, 5 / 6])
    np.testing.assert_allclose(found, 0.25 * entropy + 0.75 * np.array([1, 1, 1, 0]) * np.log(2), rtol=1e-5)


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_its_prediction_is_calibrated(share: float) -> None:
    """Both terms are stationary at the log odds, over all labels of a group."""
    p, weights = np.array([0.1, 0.35, 0.8, 0.5]), np.float32([1, 2, 0.5, 1])
    odds = np.log(p / (1 - p))
    np.testing.assert_allclose(expected_gradient(RankNet(share=share), odds, p, weights), 0, atol=1e-6)
    np.testing.assert_allclose(RankNet().prediction(np.float32(odds)), p, rtol=1e-5)
    assert np.abs(expected_gradient(RankNet(share=share), odds + np.eye(4)[1], p, weights)).max() > 0.01
