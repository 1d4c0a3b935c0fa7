"""The gates: limits on the measured metrics, their verdicts and their messages."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from components.evaluation.gates import BASELINE_TOLERANCE
from components.evaluation.scores import Value
from components.retrieval_evaluation.metrics import LOWER_IS_BETTER
from components.retrieval_evaluation.plan import GatePlan

TWO_TOWER, PRIOR, OLDER = "two_tower", "prior", "older_model"
"""Names of the candidate, of its prior alone, and of the newest blessed model older than it, among the methods."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class GateResult:
    """The verdict on one limit of a gate, or on a fault of the model, which needs no gate."""

    metric: str
    limit: str
    value: Value
    held: bool
    message: str


def loss(metric: str, value: float, other: float) -> float:
    """How much worse than another method, in the metric's unit; negative if better."""
    return value - other if metric.split("@")[0] in LOWER_IS_BETTER else other - value


def check_gate(
    gate: GatePlan, methods: Mapping[str, Mapping[str, Value]], no_older: str, no_value: str = ""
) -> list[GateResult]:
    """Checks one gate: one result for each of its limits.

    Args:
        gate: the gate.
        methods: method -> metric -> value. It lacks OLDER if the older model cannot be compared.
        no_older: why there is no older model, as text.
        no_value: why the metrics have no value, as text, if there is one common reason.
    """
    name, value = gate.metric, methods[TWO_TOWER][gate.metric]

    def result(limit: str, held: bool, message: str) -> GateResult:
        words = f"{TWO_TOWER}: {name} {message}"
        return GateResult(metric=name, limit=limit, value=value, held=held, message=words)

    def compared(limit: str, whose: str, other: Value, most: float) -> GateResult:
        if value is None:
            return undefined(limit)
        if other is None:
            return result(limit, True, f"is {value:.6g}; {whose} has no value.")
        worse = loss(name, value, other)
        words = f"is {value:.6g}, {whose} {other:.6g}: {abs(worse):.6g} {'worse' if worse > 0 else 'better'}"
        if worse == 0:
            words = f"is {value:.6g}, as {whose}"
        return result(limit, worse <= most, f"{words}; required {limit}.")

    def undefined(limit: str) -> GateResult:
        why = f", because {no_value}" if no_value else ""
        return result(limit, False, f"has no value{why}; required {limit}.")

    found = []
    for limit, held in _bounds(gate, value):
        found.append(undefined(limit) if value is None else result(limit, held, f"is {value:.6g}, required {limit}."))
    if gate.beats is not None:
        found.append(compared(f"not worse than {gate.beats}", f"{gate.beats}'s", methods[gate.beats][name], 0.0))
    if gate.max_loss_to_baseline is not None:
        limit = f"at most {gate.max_loss_to_baseline:g} worse than the older model"
        if value is not None and OLDER not in methods:
            found.append(result(limit, True, f"is {value:.6g}; not compared: {no_older}."))
        else:
            most = gate.max_loss_to_baseline + BASELINE_TOLERANCE
            found.append(compared(limit, "the older model's", methods.get(OLDER, {}).get(name), most))
    return found


def _bounds(gate: GatePlan, value: Value) -> list[tuple[str, bool]]:
    """The numeric limits as text, and whether they hold."""
    found = []
    if gate.at_least is not None:
        found.append((f"at least {gate.at_least:g}", value is not None and value >= gate.at_least))
    if gate.at_most is not None:
        found.append((f"at most {gate.at_most:g}", value is not None and value <= gate.at_most))
    return found
