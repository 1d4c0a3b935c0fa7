from __future__ import annotations

import numpy as np
import pytest

from components.evaluation.scores import Scores, why_undefined
from models.recipe.tasks import COUNTS


@pytest.mark.parametrize(
    ("name", "counts", "grouped", "words"),
    [
        ("rmse", (0, 0, 0), True, "no example of the task is observed in land = at"),
        ("auc", (4, 1, 2), True, "2 of 4 predictions in land = at are not finite"),
        ("gauc", (4, 1, 0), False, "there are no groups: evaluation.group_key is not set"),
        ("auc", (3, 3, 0), True, "only one class in land = at: all 3 labels are 1"),
        ("gauc", (3, 0, 0), True, "only one class in land = at: all 3 labels are 0"),
        ("gauc", (3, 1, 0), True, "no group has both classes in land = at"),
        ("calibration", (3, 0, 0), True, "all 3 labels in land = at are 0"),
    ],
)
def test_why(name, counts, grouped, words):
    values = dict(zip((*COUNTS, "not_finite"), counts, strict=True))
    assert why_undefined(name, values, "land = at", grouped) == words


def test_another_model_on_the_same_examples():
    scores = Scores(labels=np.ones(2), predictions=np.ones(2), weights=np.ones(2), groups=np.arange(2))
    other = scores.of(np.zeros(2))
    assert other.labels is scores.labels and other.groups is scores.groups and other.predictions.tolist() == [0, 0]
