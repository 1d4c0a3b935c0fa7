"""The gates: what must hold, what was measured, and the sentence that says so."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from components.evaluation.plan import GatePlan
from components.evaluation.scores import Value, why_undefined
from models.recipe import LOWER_IS_BETTER

# Served predictions differ by about 1e-7 between batch sizes; a model is not worse than itself.
BASELINE_TOLERANCE = 1e-6


@dataclasses.dataclass(frozen=True, kw_only=True)
class GateResult:
    """One limit of one gate. `lower`, `upper` and `change` are the limit as a number: one of them is set."""

    task: str
    metric: str
    slice: dict[str, str]
    limit: str
    value: Value
    held: bool
    message: str
    lower: float | None = None
    upper: float | None = None
    change: float | None = None


def loss_to_baseline(metric: str, value: float, baseline: float) -> float:
    """How much worse than the baseline, in the metric's own unit; negative where better.

    AUC and the like: baseline - value. log_loss, rmse, mae: value - baseline. calibration: |value - 1| - |baseline - 1|.
    """
    if metric == "calibration":
        return abs(value - 1.0) - abs(baseline - 1.0)
    return value - baseline if metric in LOWER_IS_BETTER else baseline - value


def check_gate(
    task: str,
    gate: GatePlan,
    candidate: Mapping[str, Value],
    baseline: Mapping[str, Value] | None,
    no_baseline: str,
    grouped: bool = True,
) -> list[GateResult]:
    """Holds one gate against the candidate: one result for each of its limits.

    Args:
        task: name of the task.
        gate: the gate.
        candidate: what was measured of the candidate on the gate's slice: its metric and the counts.
        baseline: the same of the baseline, or None.
        no_baseline: why there is none, in words.
        grouped: whether there is a group key.
    """
    value = candidate[gate.metric]
    slice_ = {name: str(wanted) for name, wanted in gate.slice.items()}
    examples = " and ".join(f"{name} = {wanted}" for name, wanted in slice_.items()) or "the eval split"
    what = f"{task}: {gate.metric}" + (f" where {examples}" if slice_ else "")

    def result(limit: str, held: bool, message: str, **numbers: float) -> GateResult:
        return GateResult(
            task=task,
            metric=gate.metric,
            slice=slice_,
            limit=limit,
            value=value,
            held=held,
            message=f"{what} {message}",
            **numbers,
        )

    def undefined(limit: str, **numbers: float) -> GateResult:
        why = why_undefined(gate.metric, candidate, examples, grouped)
        return result(limit, False, f"has no value: {why}; required {limit}.", **numbers)

    found = []
    if gate.at_least is not None:
        limit, numbers = f"at least {gate.at_least:g}", {"lower": gate.at_least}
        if value is None:
            found.append(undefined(limit, **numbers))
        else:
            found.append(result(limit, value >= gate.at_least, f"is {value:.6g}, required {limit}.", **numbers))
    if gate.at_most is not None:
        limit, numbers = f"at most {gate.at_most:g}", {"upper": gate.at_most}
        if value is None:
            found.append(undefined(limit, **numbers))
        else:
            found.append(result(limit, value <= gate.at_most, f"is {value:.6g}, required {limit}.", **numbers))
    if gate.max_loss_to_baseline is not None:
        most = gate.max_loss_to_baseline
        limit, numbers = f"at most {most:g} worse than the baseline", {"change": most}
        base = None if baseline is None else baseline[gate.metric]
        if value is None:
            found.append(undefined(limit, **numbers))
        elif baseline is None:
            found.append(result(limit, True, f"is {value:.6g}; not compared: {no_baseline}.", **numbers))
        elif base is None:
            why = why_undefined(gate.metric, baseline, examples, grouped)
            found.append(result(limit, True, f"is {value:.6g}; the baseline's has no value: {why}.", **numbers))
        else:
            loss = loss_to_baseline(gate.metric, value, base)
            words = f"is {value:.6g}, the baseline's {base:.6g}: {abs(loss):.6g} {'worse' if loss > 0 else 'better'}"
            if loss == 0:
                words = f"is {value:.6g}, as the baseline's"
            held = loss <= most + BASELINE_TOLERANCE
            found.append(result(limit, held, f"{words}; required {limit}.", **numbers))
    return found
