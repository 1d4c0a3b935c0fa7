"""What a comparison answers: which method to ship, and how sure that is, in a few sentences."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from models.recipe.tasks import LOWER_IS_BETTER
from pipeline.comparing.methods import SHARED

Result = Mapping[str, Any]
"""The contents of compare.json."""

MINUS = "\N{MINUS SIGN}"
MISSING = "–"

DIRECTIONS = {
    **dict.fromkeys((*LOWER_IS_BETTER, "normalized_entropy"), "lower is better"),
    "calibration": "1 is best",
}
"""Metric -> which values are better, unless higher ones are."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Answer:
    """The answer.

    Attributes:
        kind: "good": the chosen method is significantly better; "open": no difference; "bad": it is worse than the twins on
            a task.
        headline: what to ship.
        sentences: how sure that is, one fact a sentence.
    """

    kind: Literal["good", "open", "bad"]
    headline: str
    sentences: tuple[str, ...]


def answer(result: Result) -> Answer:
    """The answer that a comparison gives.

    The chosen method is that of the result. If it is not significantly better than the twins, the answer is the simpler
    of twins and shared bottom.
    """
    kind: Literal["good", "open", "bad"]
    chosen, twins = _method(result, result["chosen"]["method"]), result["twins"]
    worse = [task for task, gain in against(chosen, twins).items() if gain["verdict"] == "worse"]
    if chosen["name"] == twins:
        kind, headline = "open", f"Ship the single-task twins ({twins}): no method that shares layers is preferable."
        evidence = [_others(result)]
    elif result["chosen"]["significant"]:
        kind, headline = "good", f"Ship {chosen['name']}."
        if worse:
            kind, headline = "bad", f"Ship {chosen['name']} only if a loss on {_listed(worse)} is acceptable."
        evidence = [_evidence(result, chosen)]
    else:
        keep = simplest(result)
        if worse:
            kind = "bad"
            headline = (
                f"Do not ship {chosen['name']}: it is worse than {twins} on {_listed(worse)}. Keep {keep['name']}."
            )
        else:
            kind = "open"
            headline = f"No difference: keep the simpler {keep['name']} ({_cost_of(keep)})."
        evidence = [
            f"{chosen['name']} was chosen on the validate split, but its gain over {twins} is not significant.",
            _evidence(result, chosen),
        ]
    if worse:
        evidence.append(f"Negative transfer: {chosen['name']} is worse than {twins} on {_listed(worse)}.")
    evidence += [result["chosen"].get("why") or "", would_have_seen(result)]
    return Answer(kind=kind, headline=headline, sentences=tuple(line for line in evidence if line))


def simplest(result: Result) -> Mapping[str, Any]:
    """Of twins and shared bottom, the one with the fewest multiply-adds, then seconds a pass. The shared bottom may be worse on no task.

    If the multiply-adds of one are unknown, the seconds a pass decide. Of equal methods, the first.
    """
    twins = result["twins"]
    fair = [
        method
        for method in result["methods"]
        if method["name"] == twins
        or (
            method["name"] == SHARED and not any(gain["verdict"] == "worse" for gain in against(method, twins).values())
        )
    ]
    counted = all(method.get("flops") is not None for method in fair)

    def cost(method: Mapping[str, Any]) -> tuple[float, float]:
        seconds = (method.get("cost") or {}).get("seconds_per_pass")
        return method["flops"] if counted else 0.0, math.inf if seconds is None else seconds

    return min(fair, key=cost)


def visible(result: Result) -> dict[str, float]:
    """Task -> the smallest difference from the twins that is visible for every method, in the unit of the main metric."""
    found: dict[str, float] = {}
    for method in result["methods"]:
        for task, gain in against(method, result["twins"]).items():
            if gain.get("visible") is not None:
                found[task] = max(gain["visible"], found.get(task, 0.0))
    return {task: found[task] for task in result["tasks"] if task in found}


def would_have_seen(result: Result) -> str:
    """The smallest visible difference of each task and what it depends on, as a sentence; "" if nothing was compared."""
    least = visible(result)
    if not least:
        return ""
    each = _listed([f"{value:.4f} {metric_of(result, task)} on {task}" for task, value in least.items()])
    groups = result.get("groups")
    of = f" of {groups['count']:,} groups ({groups['key']})" if groups else ""
    seeds = len(result["seeds"])
    rows = (result.get("examples") or {}).get("eval")
    rows_of = f" and {rows:,} eval examples{of}" if rows is not None else of
    return (
        f"With {seeds} seed{'s' if seeds > 1 else ''}{rows_of}, the test finds a difference from {result['twins']} of at least "
        f"{each} with probability 0.8."
    )


def against(method: Mapping[str, Any], other: str) -> Mapping[str, Mapping[str, Any]]:
    """Task -> gain of a method over `other`; empty for a method that is not compared with it."""
    found: Mapping[str, Mapping[str, Any]] = (method.get("against") or {}).get(other) or {}
    return found


def metric_of(result: Result, task: str) -> str:
    """The main metric of a task."""
    return str(result["tasks"][task]["metric"])


def direction(metric: str) -> str:
    """Which values of a metric are better."""
    return DIRECTIONS.get(metric, "higher is better")


def percent(value: float | None) -> str:
    """A relative difference in percent with its sign; a dash for None."""
    if value is None:
        return MISSING
    rounded = round(100.0 * value, 2) + 0.0
    return f"{rounded:+.2f} %".replace("-", MINUS) if rounded else "0.00 %"


def _signed(value: float) -> str:
    return f"{value:+.4f}".replace("-", MINUS)


def _method(result: Result, name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = next(method for method in result["methods"] if method["name"] == name)
    return found


def _evidence(result: Result, method: Mapping[str, Any]) -> str:
    """How a method compares with the twins: gain and interval of each task that differs, and of the mean relative gain."""
    gains, parts = against(method, result["twins"]), []
    level = f"{100 * result['confidence']:g} % interval"
    for task, gain in gains.items():
        if gain["verdict"] in ("better", "worse"):
            bounds = f"{level} {_signed(gain['lower'])} to {_signed(gain['upper'])}"
            parts.append(
                f"{gain['verdict']} on {task} ({metric_of(result, task)} gain {_signed(gain['gain'])}, {bounds})"
            )
    for verdict in ("no difference", "not measured"):
        tasks = [task for task, gain in gains.items() if gain["verdict"] == verdict]
        parts += [f"{verdict} on {_listed(tasks)}"] if tasks else []
    if not parts:
        return ""
    mean = method.get("delta_m") or {}
    if mean.get("gain") is not None:
        bounds = f"{level} {percent(mean['lower'])} to {percent(mean['upper'])}"
        parts.append(f"mean relative gain over the tasks {percent(mean['gain'])} ({bounds})")
    return f"{method['name']} against {result['twins']}: {'; '.join(parts)}."


def _others(result: Result) -> str:
    """How many of the other methods differ from the twins."""
    compared = [against(method, result["twins"]) for method in result["methods"] if method["name"] != result["twins"]]
    number = {
        verdict: sum(any(gain["verdict"] == verdict for gain in gains.values()) for gains in compared)
        for verdict in ("better", "worse")
    }
    return (
        f"Of the other {len(compared)} methods, {number['better'] or 'none'} {_is(number['better'])} significantly better and "
        f"{number['worse'] or 'none'} {_is(number['worse'])} significantly worse than {result['twins']} on at least one task."
    )


def _is(number: int) -> str:
    return "are" if number > 1 else "is"


def _cost_of(method: Mapping[str, Any]) -> str:
    if method.get("flops") is not None:
        return f"{method['flops']:,} multiply-adds an example"
    seconds = (method.get("cost") or {}).get("seconds_per_pass")
    return f"{method['parameters']:,} parameters" if seconds is None else f"{seconds:.2f} s a pass"


def _listed(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
