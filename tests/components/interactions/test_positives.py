from __future__ import annotations

import numpy as np
import pytest

from components.interactions.positives import outcome_known, positive_weights

LABELS = np.array([[0, 1, 9], [1, 1, 0], [1, 0, 0], [0, 0, 3]], np.float32)
WEIGHTS = np.array([[1, 1, 1], [1, 1, 1], [0, 1, 1], [1, 1, 1]], np.float32)
TASKS = ("order", "click", "value")


def test_tasks_that_happened_add_up() -> None:
    found = positive_weights(LABELS, WEIGHTS, TASKS, {"click": 1.0, "order": 0.5}, 0.0)
    # The third order happened, but its weight says that it does not count.
    assert found.tolist() == [1.0, 1.5, 0.0, 0.0]
    assert found.dtype == np.float32


def test_an_outcome_counts_the_weight_of_its_example() -> None:
    weights = WEIGHTS * np.float32([[3], [0.5], [2], [2]])
    found = positive_weights(LABELS, weights, TASKS, {"click": 1.0, "order": 0.5}, 0.25)
    assert found.tolist() == [3.25, 1.0, 0.25, 0.25]


def test_being_in_the_log_adds_to_every_example() -> None:
    assert positive_weights(LABELS, WEIGHTS, TASKS, {"order": 2.0}, 0.25).tolist() == [0.25, 2.25, 0.25, 0.25]


def test_a_task_without_labels() -> None:
    with pytest.raises(ValueError, match=r"no labels of \['cart'\]; they have those of \['order', 'click', 'value'\]"):
        positive_weights(LABELS, WEIGHTS, TASKS, {"cart": 1.0}, 0.0)


def test_an_outcome_is_known_with_one_of_the_tasks_that_count() -> None:
    weights = np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0], [1, 1, 1]], np.float32)
    # The task `value` counts for nothing.
    assert outcome_known(weights, TASKS, {"order", "click"}, 0.0).tolist() == [False, True, True, True]
    assert outcome_known(weights, TASKS, {"order"}, 0.0).tolist() == [False, False, True, True]
    assert outcome_known(weights, TASKS, {"order"}, 1.0).all()
