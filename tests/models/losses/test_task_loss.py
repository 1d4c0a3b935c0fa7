from __future__ import annotations

import numpy as np
import pytest
from outside_losses import GammaPlus

from models.losses.binary_crossentropy import BinaryCrossentropy
from models.losses.squared_error import SquaredError
from models.losses.task_loss import task_loss, weighted_mean


def test_weighted_mean_by_hand() -> None:
    assert weighted_mean(np.float32([1, 5, 100]), np.float32([3, 1, 0])) == 2.0


def test_weighted_mean_of_nothing_is_0() -> None:
    assert weighted_mean(np.float32([np.nan, 5]), np.float32([0, 0])) == 0.0
    assert weighted_mean(np.float32([np.nan, 5]), np.float32([0, 2])) == 5.0


def test_of_one_logit_by_hand() -> None:
    """3 * 1^2 and 1 * 3^2, over 4."""
    logits, labels, weights = np.float32([1, 3, 9]), np.float32([0, 0, np.nan]), np.float32([3, 1, 0])
    assert task_loss(SquaredError(), logits, labels, weights) == 3.0


def test_a_weight_is_so_many_copies_of_the_row() -> None:
    """And a common factor of the weights changes nothing."""
    random = np.random.default_rng(1)
    logits, labels = random.normal(size=20).astype(np.float32), random.integers(0, 2, 20).astype(np.float32)
    copies = random.integers(0, 4, 20)
    repeated = task_loss(
        BinaryCrossentropy(), np.repeat(logits, copies), np.repeat(labels, copies), np.ones(copies.sum(), np.float32)
    )
    for factor in (1.0, 0.3, 1e4):
        weighted = task_loss(BinaryCrossentropy(), logits, labels, (factor * copies).astype(np.float32))
        assert float(weighted) == pytest.approx(float(repeated), rel=1e-6)


def test_of_several_logits_by_hand() -> None:
    """At label 1: exp(-a) + a - 1 + b^2, which is 4 and 9 at a = 0; a row of weight 0 has a label that no logarithm knows."""
    logits, labels = np.float32([[0, 2], [0, 3], [np.nan, 200]]), np.float32([1, 1, -1])
    assert task_loss(GammaPlus(), logits, labels, np.float32([3, 1, 0])) == 21 / 4
