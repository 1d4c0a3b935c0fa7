from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from models.losses.quantile import Quantile
from models.training.task_scales import constant_loss

OPTIMUM = ((1.0, 2.0, 5.0), 2.0, 2.0)  # the median


@pytest.mark.parametrize(
    ("quantile", "logit", "label", "value", "slope"),
    [
        (0.9, 3.0, 5.0, 1.8, -0.9),
        (0.9, 3.0, 1.0, 0.2, 0.1),
        (0.5, 3.0, 5.0, 1.0, -0.5),
    ],
)
def test_by_hand(quantile: float, logit: float, label: float, value: float, slope: float) -> None:
    logits = tf.Variable([logit])
    with tf.GradientTape() as tape:
        found = Quantile(quantile=quantile).value(logits, tf.constant([label]))
    np.testing.assert_allclose(found, [value], rtol=1e-5)
    np.testing.assert_allclose(tape.gradient(found, logits), [slope], rtol=1e-5)


@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.9])
def test_the_best_constant_is_the_quantile(quantile: float) -> None:
    """Of exponential labels it is -log(1 - quantile)."""
    loss, labels = Quantile(quantile=quantile), np.random.default_rng(0).exponential(size=20_000)
    ones = np.ones(len(labels))
    grid = np.linspace(0.0, 4.0, 801)
    best = grid[np.argmin([constant_loss(loss, [one], labels, ones) for one in grid])]
    start = loss.start(labels, ones)
    for found in (best, start.offset[0]):
        assert found == pytest.approx(-np.log(1 - quantile), rel=0.05)
    assert float(loss.prediction(np.float32(best))) == pytest.approx(best)
