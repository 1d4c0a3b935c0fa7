"""The report's section on what sharing gains: the model against the single-task twins, by task and slice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline import report_page
from pipeline.report_heat_map import gain_heat_map

SHOWN = 20
ALL = "all"
WHAT_TO_DO = (
    "Where the model is surely worse, sharing costs the task quality: try another architecture, another balancer, or a larger weight of "
    "the task. A loss in one slice alone may be chance: its interval is in metrics.json, under references.slices."
)

Gains = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""Slice -> task -> a difference of metrics.json, with "loss", "lower", "upper" and "standard_error"."""


def twins(metrics: Mapping[str, Any] | None) -> Gains:
    """The differences from the twins, the whole eval split first; {} without twins.

    Args:
        metrics: metrics.json of the evaluation.
    """
    references = (metrics or {}).get("references") or {}
    whole = (references.get("differences") or {}).get("single_task")
    if not whole:
        return {}
    found: dict[str, dict[str, Mapping[str, Any]]] = {ALL: dict(whole)}
    for one in references.get("slices") or []:
        name = ", ".join(f"{column} = {value}" for column, value in one["slice"].items())
        found.setdefault(name, {})[one["task"]] = one
    return found


def sharing(found: Gains) -> str:
    """The section.

    Args:
        found: from `twins`, not empty.
    """
    metrics = {task: about["metric"] for task, about in found[ALL].items()}
    # The whole split first, then the slices with the most certain loss of a task.
    order = sorted(found, key=lambda name: (name != ALL, min(map(_certainty, found[name].values()))))
    shown = {name: {task: _cell(found[name].get(task)) for task in metrics} for name in order[: SHOWN + 1]}
    drawn = report_page.figure(
        gain_heat_map(shown),
        "By how much the model is better than the task's single-task twin, on the same eval examples: "
        f"{', '.join(f'{metric} of {task}' for task, metric in metrics.items())}. Red: worse. The colour is full from four standard errors "
        "on. Slices with the most certain loss first; slices with few examples are left out.",
    )
    compared = [about for name, of_slice in found.items() if name != ALL for about in of_slice.values()]
    known = [about for about in compared if about["lower"] is not None]
    worse, better = (
        sum(test(about) for about in known) for test in (lambda a: a["lower"] > 0, lambda a: a["upper"] < 0)
    )
    notes = []
    if known:
        notes.append(
            f"In {len(known)} comparisons by slice the 95 % interval of the gain is below 0 in {worse} and above 0 in {better}. If sharing changed "
            f"nothing, about {0.025 * len(known):.1f} of each would be expected."
        )
    if len(order) > SHOWN + 1:
        notes.append(f"{len(order) - SHOWN - 1} more slices are not shown.")
    return drawn + "".join(f'<p class="note">{report_page.text(note)}</p>' for note in (*notes, WHAT_TO_DO))


def _certainty(about: Mapping[str, Any]) -> float:
    """The gain in standard errors; 0 if one of them is missing or 0."""
    return -about["loss"] / about["standard_error"] if about["loss"] is not None and about["standard_error"] else 0.0


def _cell(about: Mapping[str, Any] | None) -> tuple[float, float] | None:
    return None if about is None or about["loss"] is None else (-about["loss"], _certainty(about))
