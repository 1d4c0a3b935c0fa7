"""The loss of a batch by hand, and what TensorFlow Recommenders makes of the options."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from models.retrieval.plan import RetrievalPlan
from models.retrieval.trainer import build_model

from .conftest import recipe_with

USERS = [[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]]
ITEMS = [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]


def loss(problem: SimpleNamespace, weight: list[float], codes: list[int], shares: list[float], **section: Any) -> float:
    model = build_model(RetrievalPlan.from_recipe(recipe_with(**section)), problem.layout)
    vectors = [tf.constant(USERS), tf.constant(ITEMS)]
    item, log_q = tf.constant(codes), tf.math.log(tf.constant(shares, tf.float32))
    return float(tf.function(model.loss_of)(*vectors, item, log_q, tf.constant(weight, tf.float32)))


def softmax_loss(scores: np.ndarray, weight: list[float]) -> float:
    """The formula of the docstring, row by row."""
    each = [np.log(np.exp(row).sum()) - row[i] for i, row in enumerate(scores)]
    return float(np.dot(each, weight) / np.sum(weight))


def test_the_loss_by_hand(problem: SimpleNamespace) -> None:
    """Scores 1 0 1 / 0 2 0 / 1 1 1 of weights 1, 2, 0: (ln(2e + 1) - 1 + 2 (ln(2 + e^2) - 2)) / 3."""
    by_hand = (np.log(2 * np.e + 1) - 1 + 2 * (np.log(2 + np.e**2) - 2)) / 3
    plain = {"log_q": False, "remove_accidental_hits": False}
    assert loss(problem, [1, 2, 0], [0, 1, 2], [0.5, 0.25, 0.25], **plain) == pytest.approx(by_hand, rel=1e-5)


def test_the_temperature_divides_the_scores_and_the_correction_comes_after(problem: SimpleNamespace) -> None:
    shares = [0.5, 0.25, 0.125]
    scores = np.array(USERS) @ np.array(ITEMS).T / 0.5 - np.log(shares)
    weight = [1.0, 1.0, 3.0]
    found = loss(problem, weight, [0, 1, 2], shares, temperature=0.5, remove_accidental_hits=False)
    assert found == pytest.approx(softmax_loss(scores, weight), rel=1e-5)


def test_the_shares_of_seldom_items_are_told_apart(problem: SimpleNamespace) -> None:
    """Of more than a million positives an item's share may be below 1e-6."""
    shares = [0.1, 1e-7, 1e-9]
    scores = np.array(USERS) @ np.array(ITEMS).T - np.log(shares)
    found = loss(problem, [1, 1, 1], [0, 1, 2], shares, remove_accidental_hits=False)
    assert found == pytest.approx(softmax_loss(scores, [1, 1, 1]), rel=1e-5)


def test_the_same_item_elsewhere_in_the_batch_is_no_negative(problem: SimpleNamespace) -> None:
    scores = np.array(USERS) @ np.array(ITEMS).T
    scores[0, 2] = scores[2, 0] = -1e9  # items 0 and 2 are the same
    found = loss(problem, [1, 1, 1], [7, 8, 7], [1, 1, 1], log_q=False)
    assert found == pytest.approx(softmax_loss(scores, [1, 1, 1]), rel=1e-5)


def test_hard_negatives_are_those_of_the_highest_scores(problem: SimpleNamespace) -> None:
    """One for each row: 1 against 1, 2 against 0, 1 against 1."""
    by_hand = (2 * np.log(2) + np.log(1 + np.exp(-2))) / 3
    found = loss(problem, [1, 1, 1], [0, 1, 2], [1, 1, 1], log_q=False, hard_negatives=1, remove_accidental_hits=False)
    assert found == pytest.approx(by_hand, rel=1e-5)


def test_a_tower_reads_its_own_side_only(problem: SimpleNamespace) -> None:
    model = build_model(RetrievalPlan.from_recipe(recipe_with()), problem.layout)
    users, items = model.sides
    assert [feature for feature, _ in users.layout.categorical] == ["segment", "device"]
    assert users.history == ("item_id", 3)
    assert [feature for feature, _ in items.layout.categorical] == ["item_id"]
    assert set(items.layout.multivalued) == {"tags"}
    assert users.layout.numeric == ("age", "age_missing") and items.layout.numeric == ("price", "price_missing")
    assert items.layout.tables["item_id"][1] == users.layout.tables["item_id"][1] == 8, "as wide as the vectors"
    assert items.layout.tables["tags"][1] == 3
