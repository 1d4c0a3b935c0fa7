"""Whose fault a refusal is: the model's, or the day's that it is measured on."""

from __future__ import annotations

from collections.abc import Mapping

from components.evaluation.plan import EvaluationPlan, GatePlan

Values = Mapping[str, Mapping[str, float | None]]


def day_at_fault(plan: EvaluationPlan, candidate: Values, baseline: Values | None) -> bool:
    """Whether the candidate and the baseline are both outside of an absolute limit (`at_least`, `at_most`) of a gate on all examples.

    A model that held the limit on earlier days and does not on this one points to the day, such as a day of wrong labels.

    Args:
        plan: the tasks and their gates.
        candidate: task -> metric -> value.
        baseline: the same of the baseline; None if there is none.
    """
    return any(
        _outside(gate, candidate.get(task, {})) and _outside(gate, (baseline or {}).get(task, {}))
        for task, about in plan.tasks.items()
        for gate in about.gates
        if not gate.slice
    )


def _outside(gate: GatePlan, values: Mapping[str, float | None]) -> bool:
    value = values.get(gate.metric)
    if value is None:
        return False
    return (gate.at_least is not None and value < gate.at_least) or (gate.at_most is not None and value > gate.at_most)
