"""The report's sections about the evaluation: metrics, gates, gap to the true probabilities, slices."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from models.recipe.tasks import COUNTS, LOWER_IS_BETTER
from pipeline import simple_models
from pipeline.report_charts import evaluation_curves
from pipeline.report_page import Markup, count, figure, missing, number, signed, table, text

NO_METRICS = "No metrics.json: the Evaluator has not run, or its output was removed."
LEADING = ("auc", "rmse", "log_loss", "mae", "pr_auc", "gauc", "calibration")
"""Slices are sorted by the first of these metrics that the task has."""
SHOWN = 12


def metrics(found: Mapping[str, Any] | None) -> str:
    """Metrics of each task, compared with the baseline, the constant and the references."""
    if not found or not found.get("tasks"):
        return missing(NO_METRICS)
    baseline = found.get("baseline") or {}
    references = {
        name: found["references"][name] for name in simple_models.HEADINGS if name in (found.get("references") or {})
    }
    parts = []
    for task, values in found["tasks"].items():
        rows, classes = [], []
        beside = (found.get("constant") or {}).get(task) or {}
        constant = beside.get("metrics", {})
        unreported = {beside["by"]: beside["model"]} if beside else {}
        for metric, value in (values | unreported).items():
            if metric in COUNTS:
                continue
            before = (baseline.get(task) or {}).get(metric)
            better = _better(metric, value, before)
            classes.append({True: "better", False: "worse", None: ""}[better])
            change = signed(value - before) if _is_number(value) and _is_number(before) else "–"
            rows.append(
                (
                    metric,
                    number(value),
                    _half(((found.get("intervals") or {}).get(task) or {}).get(metric)),
                    *((number(before), change) if baseline else ()),
                    number(constant.get(metric)),
                    *(number((beside.get(task) or {}).get(metric)) for beside in references.values()),
                )
            )
        size = ", ".join(f"{name.removesuffix('_count')}s: {count(values[name])}" for name in COUNTS if name in values)
        head = (
            "Metric",
            "Model",
            "± (95 %)",
            *(("Baseline", "Change") if baseline else ()),
            "Constant",
            *(simple_models.HEADINGS[name] for name in references),
        )
        parts.append(table(f"{task}{f' ({size})' if size else ''}", head, rows, classes))
    notes = ["±: half of the 95 % interval."] if found.get("intervals") else []
    notes += [] if baseline else ["There is no baseline: no earlier model was blessed."]
    if found.get("constant"):
        notes.append("The constant always predicts the task's mean label in the train split.")
    notes += [simple_models.sizes(found)] if references else []
    note = f'<p class="note">{text(" ".join(notes))}</p>' if notes else ""
    if lines := simple_models.complaints(found):
        note += f'<ul class="failures">{"".join(f"<li>The model is {text(line)}</li>" for line in lines)}</ul>'
    return "".join(parts) + note


def curves(found: Mapping[str, Any] | None) -> str:
    """The curves of each binary task."""
    if not found:
        return missing(NO_METRICS)
    drawn = found.get("curves") or {}
    if not drawn:
        return missing("No binary task has eval examples of both classes.")
    return "".join(
        figure(
            evaluation_curves(task, one),
            f"Reliability in {len(one['reliability']['label'])} bins of equal weight, ROC, precision-recall, lift by "
            f"tenths of the examples (in the first: {one['lift']['lift'][0]:.2f}, with {one['lift']['gain'][0]:.0%} of the "
            "positives), and predictions by class. Dashed: perfect reliability; chance elsewhere.",
            task,
        )
        for task, one in drawn.items()
    )


def gates(found: Mapping[str, Any] | None) -> str:
    """Every gate with its limit, failed gates first."""
    if not found:
        return missing(NO_METRICS)
    listed = sorted(found.get("gates") or [], key=lambda gate: bool(gate.get("held")))
    ungated = ", ".join(found.get("ungated") or [])
    notes = [f"Tasks without gates (gates: none): {ungated}"] if ungated else []
    if not found.get("baseline") and any("baseline" in gate.get("limit", "") for gate in listed):
        notes.append("There is no baseline, so the gates against it pass without a comparison.")
    note = "".join(f'<p class="note">{text(line)}</p>' for line in notes)
    if not listed:
        return missing("The recipe has no gates, so every model is blessed.") + note
    rows = []
    for gate in listed:
        sign = Markup('<span class="ok">passed</span>' if gate.get("held") else '<span class="no">failed</span>')
        shown = count if gate.get("metric") in COUNTS else number
        rows.append(
            (
                gate.get("task"),
                sign,
                gate.get("metric"),
                _slice(gate.get("slice")),
                gate.get("limit", ""),
                shown(gate.get("value")),
            )
        )
    head = ("Task", "Gate", "Metric", "Slice", "Limit", "Value")
    failed = [gate for gate in listed if not gate.get("held")]
    classes = ["failed" if not gate.get("held") else "" for gate in listed]
    words = "".join(f"<li>{text(gate['message'])}</li>" for gate in failed if gate.get("message"))
    return table(f"{len(listed) - len(failed)} of {len(listed)} gates passed", head, rows, classes, texts=5) + (
        (f'<ul class="failures">{words}</ul>' if words else "") + note
    )


def truth(found: Mapping[str, Any]) -> str:
    """Gap between the model and the true probabilities (`evaluation.truth` of simulated logs)."""
    rows = []
    for task, values in found["truth"].items():
        reached = (found.get("tasks") or {}).get(task, {})
        for metric in values:
            if f"{metric}_gap" in values:
                # A positive gap means that the model is worse.
                loss = values[f"{metric}_gap"]
                rows.append((task, metric, number(reached.get(metric)), number(values[metric]), number(loss)))
    head = ("Task", "Metric", "Model", "Truth", "Gap")
    return table("Model and true probabilities (the best possible predictions)", head, rows, texts=2)


def slices(found: Mapping[str, Any] | None) -> str:
    """Slices of each task, worst first."""
    if not found:
        return missing(NO_METRICS)
    by_task: dict[str, list[Mapping[str, Any]]] = {}
    for entry in found.get("slices") or []:
        by_task.setdefault(entry["task"], []).append(entry)
    if not by_task:
        return missing("The recipe defines no slices (evaluation.slices).")
    parts = []
    for task, entries in by_task.items():
        values = [{**entry, **entry.get("metrics", {})} for entry in entries]
        names = [
            name
            for name, value in values[0].items()
            if name not in ("task", "slice", "metrics") and (value is None or _is_number(value))
        ]
        ordered = [name for name in LEADING if name in names]
        leading = ordered[0] if ordered else None
        if leading:
            values.sort(key=lambda entry: _badness(leading, entry.get(leading)), reverse=True)
        values.sort(key=lambda entry: bool(entry.get("few")))
        columns = [name for name in names if name not in COUNTS]
        interval = [(f"{leading}, 95 % interval", leading)] if leading else []
        head = (
            "Slice",
            *columns,
            *(title for title, _ in interval),
            *(name.removesuffix("_count") + "s" for name in COUNTS if name in names),
        )
        rows = [
            (
                _slice(entry.get("slice")),
                *(number(entry.get(name)) for name in columns),
                *(_bounds((entry.get("intervals") or {}).get(name)) for _, name in interval),
                *(count(entry.get(name)) for name in COUNTS if name in names),
            )
            for entry in values
        ]
        whole = ((found.get("tasks") or {}).get(task) or {}).get(leading)
        classes = [
            "few" if entry.get("few") else "worst" if _surely_worse(leading, entry, whole) else "" for entry in values
        ]
        caption = f"{task}: by {leading}, worst first" if leading else task
        caption += "; red: surely worse than the whole eval split" if "worst" in classes else ""
        caption += "; grey: too few examples to rank" if "few" in classes else ""
        parts.append(table(caption, head, rows[:SHOWN], classes[:SHOWN]))
        if len(rows) > SHOWN:
            rest = table(f"{task}: other slices", head, rows[SHOWN:], classes[SHOWN:])
            more = f"{len(rows) - SHOWN} more slice{'s' if len(rows) > SHOWN + 1 else ''} of {text(task)}"
            parts.append(f"<details><summary>{more}</summary>{rest}</details>")
    return "".join(parts)


def _slice(chosen: Mapping[str, Any] | None) -> str:
    return ", ".join(f"{column} = {value}" for column, value in (chosen or {}).items()) or "all"


def _half(interval: Mapping[str, Any] | None) -> str:
    """Half of an interval's width; a dash if there is none."""
    found = interval or {}
    return number((found["upper"] - found["lower"]) / 2.0) if "lower" in found else "–"


def _bounds(interval: Mapping[str, Any] | None) -> str:
    """An interval as text; a dash if there is none."""
    found = interval or {}
    return f"{number(found['lower'])} to {number(found['upper'])}" if "lower" in found else "–"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _badness(metric: str, value: Any) -> float:
    """Sort key: larger is worse, unmeasured values come last."""
    if not _is_number(value):
        return -math.inf
    if metric == "calibration":
        return abs(value - 1.0)
    return float(value if metric in LOWER_IS_BETTER else -value)


def _surely_worse(metric: str | None, entry: Mapping[str, Any], whole: Any) -> bool:
    """Whether a slice's whole 95 % interval is worse than the task's value."""
    bounds = (entry.get("intervals") or {}).get(metric) or {}
    if metric is None or "lower" not in bounds or not _is_number(whole):
        return False
    return all(_badness(metric, bounds[side]) > _badness(metric, whole) for side in ("lower", "upper"))


def _better(metric: str, value: Any, before: Any) -> bool | None:
    """Whether the candidate beats the baseline in this metric; None if equal or unknown."""
    if not _is_number(value) or not _is_number(before) or value == before:
        return None
    return _badness(metric, value) < _badness(metric, before)
