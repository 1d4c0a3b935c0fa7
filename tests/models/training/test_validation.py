"""The score by which training stops, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from models.losses.binary_crossentropy import BinaryCrossentropy
from models.losses.squared_error import SquaredError
from models.losses.zero_inflated_lognormal import ZeroInflatedLognormal
from models.training.task_scales import TaskScales
from models.training.validation import Validation

TASKS = ("click", "amount", "spent")
LOSSES = (BinaryCrossentropy(), SquaredError(), ZeroInflatedLognormal())


def validation(positives: int, observed: tuple[int, int, int] = (200, 200, 200), weight: float = 1.0) -> Validation:
    labels = np.zeros((200, 3), np.float32)
    labels[:positives, 0] = 1
    labels[:, 1:] = np.arange(200)[:, None] % 3
    weights = (np.arange(200)[:, None] < np.array(observed)).astype(np.float32)
    scales = TaskScales([loss.outputs for loss in LOSSES])
    scales.build()
    scales.start(LOSSES, labels, np.ones_like(weights))
    return Validation(TASKS, LOSSES, scales, labels, weight * weights)


def test_each_task_counts_alike_relative_to_its_constant() -> None:
    found = validation(100)
    click, amount, spent = (found.constants[task] for task in TASKS)
    assert click == pytest.approx(np.log(2)) and amount == pytest.approx(1.0)
    entry = {"val_click_loss": 0.5 * click, "val_amount_loss": 0.7 * amount, "val_spent_loss": spent - 0.3}
    assert found.score(entry) == pytest.approx((0.5 + 0.7 + 0.7) / 3)


@pytest.mark.parametrize(
    ("positives", "observed", "ruling"),
    [
        (30, (200, 200, 200), TASKS),
        (29, (200, 200, 200), ("amount", "spent")),
        (171, (200, 200, 200), ("amount", "spent")),
        (30, (200, 99, 100), ("click", "spent")),
        (3, (200, 20, 0), ("click", "amount")),
        (3, (0, 0, 0), ()),
    ],
)
def test_a_task_with_too_few_examples_does_not_rule(
    positives: int, observed: tuple[int, int, int], ruling: tuple[str, ...]
) -> None:
    """If none has enough, those that are measured rule."""
    found = validation(positives, observed)
    assert found.ruling == ruling
    # Rows count, not their weights, and a common factor changes no constant.
    heavy = validation(positives, observed, weight=50.0)
    assert heavy.ruling == ruling and heavy.constants == pytest.approx(found.constants, rel=1e-5)
    assert (found.score({f"val_{task}_loss": 0.5 for task in TASKS}) is None) == (not ruling)
