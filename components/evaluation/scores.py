"""The labels and predictions of one task, and the reasons why a metric has no value."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.recipe.tasks import COUNTS

Value = float | int | None

# Number of observed examples with a NaN or infinite prediction.
NOT_FINITE = "not_finite"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scores:
    """Arrays of shape (n,): labels, predictions, weights and, if there is a group key, group codes (-1: none)."""

    labels: NDArray[Any]
    predictions: NDArray[Any]
    weights: NDArray[Any]
    groups: NDArray[np.signedinteger[Any]] | None = None

    def of(self, predictions: NDArray[Any]) -> Scores:
        """The same examples with another model's predictions."""
        return dataclasses.replace(self, predictions=predictions)


def why_undefined(name: str, values: Mapping[str, Value], examples: str, grouped: bool) -> str:
    """Why a metric has no value.

    Args:
        name: the metric.
        values: the COUNTS and NOT_FINITE of the examples.
        examples: these examples as text, such as "the eval split".
        grouped: whether there is a group key.
    """
    observed, positives, broken = (values[count] or 0 for count in (*COUNTS, NOT_FINITE))
    if not observed:
        return f"no example of the task is observed in {examples}"
    if broken:
        return f"{broken} of {observed} predictions in {examples} are not finite"
    if name == "gauc" and not grouped:
        return "there are no groups: evaluation.group_key is not set"
    if name in ("auc", "gauc") and positives in (0, observed):
        return f"only one class in {examples}: all {observed} labels are {1 if positives else 0}"
    if name == "gauc":
        return f"no group has both classes in {examples}"
    return f"all {observed} labels in {examples} are 0"
