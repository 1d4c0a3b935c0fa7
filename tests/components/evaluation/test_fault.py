"""Whose fault a refusal is."""

from __future__ import annotations

from typing import Any

import pytest

from components.evaluation.fault import day_at_fault
from components.evaluation.plan import EvaluationPlan, GatePlan, TaskPlan


def _plan(**gate: Any) -> EvaluationPlan:
    task = TaskPlan(kind="binary", metrics=("auc",), gates=(GatePlan(metric="auc", **gate),))
    return EvaluationPlan(tasks={"click": task})


@pytest.mark.parametrize(
    ("gate", "candidate", "baseline", "fault"),
    [
        ({"at_least": 0.7}, 0.3, 0.31, True),
        ({"at_least": 0.7}, 0.3, 0.75, False),  # the model alone
        ({"at_least": 0.7}, 0.75, 0.3, False),
        ({"at_least": 0.7}, 0.7, 0.7, False),
        ({"at_most": 0.7}, 0.71, 0.72, True),
        ({"max_loss_to_baseline": 0.01}, 0.3, 0.3, False),
        ({"at_least": 0.7, "slice": {"device": "phone"}}, 0.3, 0.3, False),
        ({"at_least": 0.7}, None, 0.3, False),
    ],
)
def test_the_day_is_at_fault_if_both_models_are_outside_an_absolute_limit(
    gate: dict[str, Any], candidate: float | None, baseline: float, fault: bool
) -> None:
    assert day_at_fault(_plan(**gate), {"click": {"auc": candidate}}, {"click": {"auc": baseline}}) is fault


def test_without_a_baseline_the_day_is_not_at_fault() -> None:
    assert not day_at_fault(_plan(at_least=0.7), {"click": {"auc": 0.3}}, None)
