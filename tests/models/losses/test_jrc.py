from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from group_losses import expected_gradient

from models.losses.jrc import JRC

# Each example is a group of its own: sigmoid(-log 3) is the mean.
OPTIMUM = ((0.0, 0.0, 0.0, 1.0), (np.log(3), 0.0), 0.25)


def test_by_hand() -> None:
    """Two examples of a group: exp(z_1) is 3 and 1, exp(z_0) is 1 and 4. The third row has weight 0, the fourth is alone."""
    logits = np.log(np.float32([[1, 3], [4, 1], [1, 9], [1, 1]]))
    found = JRC(share=0.25).group_value(
        tf.constant(logits), np.float32([1, 0, 1, 1]), np.float32([1, 1, 0, 1]), np.int32([5, 5, 5, 2])
    )
    calibration, ranking = -np.log([3 / 4, 4 / 5]), -np.log([3 / 4, 4 / 5])
    np.testing.assert_allclose(np.array(found)[:2], 0.25 * calibration + 0.75 * ranking, rtol=1e-5)
    np.testing.assert_allclose(np.array(found)[3], 0.25 * np.log(2), rtol=1e-5)


def test_a_weight_is_so_many_copies_up_to_a_constant() -> None:
    """The sum over the group gains log(w) w for the example of weight w."""
    logits, labels = np.float32([[0.3, 1.0], [0.5, -1.0], [-0.2, 0.4]]), np.float32([1, 0, 1])
    weighted = np.array(
        JRC(share=0.0).group_value(tf.constant(logits), labels, np.float32([3, 1, 2]), np.zeros(3, "int32"))
    )
    copies = np.repeat(np.arange(3), [3, 1, 2])
    repeated = JRC(share=0.0).group_value(
        tf.constant(logits[copies]), labels[copies], np.ones(6, "float32"), np.zeros(6, "int32")
    )
    expected = np.sum(repeated) - 3 * np.log(3) - 2 * np.log(2)
    assert weighted @ [3, 1, 2] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_its_prediction_is_calibrated(share: float) -> None:
    """Both terms are stationary at the logarithms of the classes' probabilities, over all labels of a group."""
    p = np.array([0.1, 0.35, 0.8, 0.5])
    logits = np.log(np.stack([1 - p, p], axis=1))
    weights = np.float32([1, 2, 0.5, 1])
    np.testing.assert_allclose(expected_gradient(JRC(share=share), logits, p, weights), 0, atol=1e-6)
    np.testing.assert_allclose(JRC().prediction(np.float32(logits)), p, rtol=1e-5)
    assert np.abs(expected_gradient(JRC(share=share), logits + np.eye(4)[:, [0, 1]], p, weights)).max() > 0.01
