"""The gates: limits on the measured metrics, their verdicts and their messages."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from components.evaluation.best import Best, loss_to
from components.evaluation.plan import GatePlan, TaskPlan
from components.evaluation.scores import COUNTS, Value, why_undefined

# Predictions differ by about 1e-7 between batch sizes. A model must not be worse than itself.
BASELINE_TOLERANCE = 1e-6


@dataclasses.dataclass(frozen=True, kw_only=True)
class GateResult:
    """The verdict on one limit of a gate. `lower`, `upper` or `change` is the limit as a number, if it is known."""

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


@dataclasses.dataclass(frozen=True, kw_only=True)
class Measured:
    """Metrics and counts on a gate's slice, of the candidate and of the models that it is compared with.

    Attributes:
        candidate: metrics and counts of the candidate.
        baseline: those of the newest older blessed model, or None.
        no_baseline: why there is no baseline, as text.
        constant: those of the constant, the train split's mean label; None if the task is not observed in the train split.
        mean: the constant.
        best: the best blessed value on record, or None.
        grouped: whether there is a group key.
        signed: whether an observed label is negative.
    """

    candidate: Mapping[str, Value]
    baseline: Mapping[str, Value] | None = None
    no_baseline: str = "there is no older blessed model"
    constant: Mapping[str, Value] | None = None
    mean: float | None = None
    best: Best | None = None
    grouped: bool = True
    signed: bool = False


def check_gate(task: str, gate: GatePlan, measured: Measured) -> list[GateResult]:
    """Checks one gate: one result for each of its limits.

    Args:
        task: name of the task.
        gate: the gate.
        measured: metrics on the gate's slice.
    """
    value = measured.candidate[gate.metric]
    slice_ = {name: str(wanted) for name, wanted in gate.slice.items()}
    examples = " and ".join(f"{name} = {wanted}" for name, wanted in slice_.items()) or "the eval split"
    what = f"{task}: {gate.metric}" + (f" where {examples}" if slice_ else "")
    found = []
    for key, judge in LIMITS.items():
        if getattr(gate, key) is None:
            continue
        if gate.default and gate.metric == "calibration" and measured.signed:
            known = judge(gate, 0.0, measured, examples)
            words = "not checked: some labels are negative, so the ratio of the means is not meaningful."
            said = dataclasses.replace(known, held=True, message=words)
        elif value is None:
            why = why_undefined(gate.metric, measured.candidate, examples, measured.grouped)
            known = judge(gate, 0.0, measured, examples)
            said = dataclasses.replace(known, held=False, message=f"has no value: {why}; required {known.limit}.")
        else:
            said = judge(gate, value, measured, examples)
        message = f"{what} {said.message}"
        if gate.default and not said.held:
            message += (
                " The task has no gates, so it uses this default gate. To replace it, set tasks."
                f"{task}.gates to a list; to disable it, set `gates: none`."
            )
        result = GateResult(
            task=task,
            metric=gate.metric,
            slice=slice_,
            limit=said.limit,
            value=value,
            held=said.held,
            message=message,
            **said.numbers,
        )
        found.append(result)
    return found


@dataclasses.dataclass(frozen=True)
class Judged:
    """One limit as text, whether it holds, the second half of the message, and the limit as a number."""

    limit: str
    held: bool
    message: str
    numbers: dict[str, Any]


def _at_least(gate: GatePlan, value: float, measured: Measured, examples: str) -> Judged:
    least = gate.at_least or 0.0
    limit = f"at least {least:g}"
    return Judged(limit, value >= least, f"is {value:.6g}, required {limit}.", {"lower": least})


def _at_most(gate: GatePlan, value: float, measured: Measured, examples: str) -> Judged:
    most = gate.at_most or 0.0
    limit = f"at most {most:g}"
    return Judged(limit, value <= most, f"is {value:.6g}, required {limit}.", {"upper": most})


def _beats(gate: GatePlan, value: float, measured: Measured, examples: str) -> Judged:
    limit = "better than the constant"
    if measured.constant is None:
        words = f"is {value:.6g}; there is no constant, because the train split has no observed example of the task"
        return Judged(limit, False, f"{words}; required {limit}.", {})
    other = measured.constant[gate.metric]
    if other is None:
        why = why_undefined(gate.metric, measured.constant, examples, measured.grouped)
        return Judged(limit, False, f"is {value:.6g}; the constant's has no value: {why}; required {limit}.", {})
    loss = loss_to(gate.metric, value, other)
    if loss < 0:
        words = f"is {value:.6g}, the constant's {other:.6g}: {-loss:.6g} better; required {limit}."
        return Judged(limit, True, words, {"upper": other})
    answers = f"the constant always predicts {measured.mean:.6g}, the task's mean label in the train split"
    cure = "Check the task's calibration, its training curves, the labels of both splits, and the features."
    if gate.metric == "rmse":
        cure += " If the task does not train with squared_error, use mae instead of rmse."
    words = f"is {value:.6g}, the constant's {other:.6g}: {f'{loss:.6g} worse' if loss else 'no better'} ({answers})"
    return Judged(limit, False, f"{words}; required {limit}. {cure}", {"upper": other})


def _to_baseline(gate: GatePlan, value: float, measured: Measured, examples: str) -> Judged:
    most = gate.max_loss_to_baseline or 0.0
    limit, numbers = f"at most {most:g} worse than the baseline", {"change": most}
    if measured.baseline is None:
        return Judged(limit, True, f"is {value:.6g}; not compared: {measured.no_baseline}.", numbers)
    base = measured.baseline[gate.metric]
    if base is None:
        why = why_undefined(gate.metric, measured.baseline, examples, measured.grouped)
        return Judged(limit, True, f"is {value:.6g}; the baseline's has no value: {why}.", numbers)
    return _change(gate, value, "the baseline's", base, limit, most)


def _to_best(gate: GatePlan, value: float, measured: Measured, examples: str) -> Judged:
    most = gate.max_loss_to_best or 0.0
    limit = f"at most {most:g} worse than the best blessed value"
    if measured.best is None:
        words = f"is {value:.6g}; not compared: there is no comparable value of a blessed model on record"
        return Judged(limit, True, f"{words}.", {"change": most})
    whose = f"the best blessed value, of {measured.best.model},"
    return _change(gate, value, whose, measured.best.value, limit, most)


def _change(gate: GatePlan, value: float, whose: str, other: float, limit: str, most: float) -> Judged:
    loss = loss_to(gate.metric, value, other)
    words = f"is {value:.6g}, {whose} {other:.6g}: {abs(loss):.6g} {'worse' if loss > 0 else 'better'}"
    if loss == 0:
        words = f"is {value:.6g}, as {whose.rstrip(',')}"
    return Judged(limit, loss <= most + BASELINE_TOLERANCE, f"{words}; required {limit}.", {"change": most})


# Key of a gate -> function that checks it. Each limit of a gate is checked separately.
LIMITS: dict[str, Callable[[GatePlan, float, Measured, str], Judged]] = {
    "at_least": _at_least,
    "at_most": _at_most,
    "beats": _beats,
    "max_loss_to_baseline": _to_baseline,
    "max_loss_to_best": _to_best,
}


def not_finite(task: str, observed: Value, broken: Value) -> Iterator[GateResult]:
    """An implicit gate: a model that predicts NaN or infinity is never pushed."""
    if broken:
        message = f"{task}: {broken} of {observed} predictions in the eval split are not finite; required 0."
        limit = "only finite predictions"
        yield GateResult(
            task=task, metric="not_finite", slice={}, limit=limit, value=broken, held=False, message=message, upper=0
        )


def unmeasured(task: str, about: TaskPlan, rows: int) -> GateResult:
    """The gate of a task without an observed eval example. It passes only with `unmeasured: allow`."""
    allowed = about.unmeasured == "allow"
    where = f"none of the {rows} eval examples" if rows else "the eval split has no examples, so none"
    window = f" (window {about.window})" if about.window else ""
    message = f"{task}: {where} has an observed label of the task{window}; it was not measured"
    if allowed:
        message += "; allowed by `unmeasured: allow`."
    else:
        cure = (
            "An example with an open window at the end of the logs is not observed: put older examples into the eval split "
            "(`split`), shorten the window, or read more days of logs."
            if about.window
            else "Check the label column in the eval examples."
        )
        message += (
            f"; required at least 1. {cure} To push a model without measuring this task, set `unmeasured: allow` in "
            f"tasks.{task}."
        )
    return GateResult(
        task=task,
        metric=COUNTS[0],
        slice={},
        limit="at least 1 observed eval example" + (" (allowed by `unmeasured: allow`)" if allowed else ""),
        value=0,
        held=allowed,
        message=message,
        lower=1.0,
    )
