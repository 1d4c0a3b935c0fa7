"""The page's results: gains over the twins, each task's table, all tasks together, trade-offs, gap to the truth."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.comparing import page_charts
from pipeline.comparing.answer import Result, against, direction, metric_of, percent, visible
from pipeline.report_page import Markup, figure, missing, number, signed, small, table, text

BASELINES = {"shared_bottom": "Against shared bottom", "fixed": "Against fixed weights"}
"""Key of `against` -> heading of its column."""

LOWER = "lower is better"

PICTURES = 6
"""The most pairs of tasks that are drawn."""

POINTS = (
    "Each method against the single-task twins ({twins}) on the eval split: the point is the gain, the line its {level} interval. Filled circle: "
    "better. Square: worse. Hollow diamond: no difference."
)


def gains(result: Result) -> str:
    """A forest plot of each task, and one of the mean relative gain."""
    twins, parts = result["twins"], []
    level = f"{100 * result['confidence']:g} %"
    others = [method for method in result["methods"] if method["name"] != twins]
    for index, task in enumerate(result["tasks"]):
        found = {method["name"]: against(method, twins)[task] for method in others if task in against(method, twins)}
        if found:
            metric = metric_of(result, task)
            axis = f"gain in {metric}, {level} interval"
            words = f"{metric}: {direction(metric)}. A gain right of 0 is better than the twins."
            parts.append(figure(page_charts.forest(found, axis, str(index)), words, task))
    together = {method["name"]: _in_percent(method["delta_m"]) for method in others if method.get("delta_m")}
    if together:
        axis = f"mean relative gain in %, {level} interval"
        chart = page_charts.forest(together, axis, "delta-m")
        parts.append(
            figure(
                chart, "Mean over the tasks of the relative gain. Right of 0 is better than the twins.", "All tasks: Δm"
            )
        )
    if not parts:
        return missing("No method was compared with the twins.")
    return f'<p class="note">{text(POINTS.format(twins=twins, level=level))}</p>{pictures(parts, narrow=True)}'


def task_table(result: Result, task: str) -> str:
    """The methods on one task, and below it all metrics, seeds and tests."""
    metric, twins, least = metric_of(result, task), result["twins"], visible(result).get(task)
    keys = [key for key in BASELINES if any(task in against(method, key) for method in result["methods"])]
    head = (
        "Method",
        f"Mean {metric}",
        "Gain over the twins",
        "Verdict",
        "Relative gain",
        *(BASELINES[key] for key in keys),
    )
    rows = []
    for method in result["methods"]:
        gain = against(method, twins).get(task)
        rows.append(
            (
                method["name"],
                number(_main(method, task, metric)),
                interval(gain),
                verdict(gain),
                percent((gain or {}).get("relative")),
                *(Markup(f"{verdict(against(method, key).get(task))}{_gained(method, key, task)}") for key in keys),
            )
        )
    caption = f"{task}: {metric} on the eval split, mean over {len(result['seeds'])} seeds ({direction(metric)})"
    seen = "" if least is None else f" Smallest visible difference from the twins: {least:.4f} {metric}."
    note = (
        f"Gains are in {metric}; above 0 is better. The small figures are the "
        f"{100 * result['confidence']:g} % interval. Verdicts are corrected for the number of methods (Holm). The marked row is the "
        f"chosen method.{seen}"
    )
    details = _details("All metrics and seeds", _metrics(result, task)) + _details("All tests", _tests(result, task))
    return f'{table(caption, head, rows, chosen_rows(result))}<p class="note">{text(note)}</p>{details}'


def together(result: Result) -> str:
    """Δm, the validation score that decides, and whether a method is on the Pareto front."""
    rows = []
    for method in result["methods"]:
        gain, score = method.get("delta_m"), method.get("validation_score") or {}
        rows.append(
            (
                method["name"],
                Markup(f"{percent(gain.get('gain'))}{small(_percents(gain))}") if gain else "–",
                verdict(gain),
                probability((gain or {}).get("p")),
                probability((gain or {}).get("p_holm")),
                percent((gain or {}).get("visible")).lstrip("+"),
                Markup(f"{number(score.get('mean'))}{small(seeds(score.get('by_seed')))}"),
                "yes" if method.get("pareto") else "no",
            )
        )
    head = ("Method", "Δm", "Verdict", "p", "p (Holm)", "Visible from", "Validation score", "Pareto front")
    note = (
        "Δm: mean over the tasks of the relative gain over the twins on the eval split, higher is better; relative gain: (AUC − 0.5) / "
        "(AUC of the twin − 0.5) − 1, or 1 − RMSE / RMSE of the twin. Validation score: mean over the tasks of the validate loss divided "
        "by that of the best constant, lower is better; the method is chosen by it. Pareto front: no other method is better on all tasks."
    )
    return table("All tasks together", head, rows, chosen_rows(result)) + f'<p class="note">{text(note)}</p>'


def trade_offs(result: Result) -> str:
    """Each pair of tasks as a picture, at most `PICTURES`, in the order of the tasks."""
    pairs = list(itertools.combinations(result["tasks"], 2))
    parts = []
    for pair in pairs[:PICTURES]:
        metrics = [metric_of(result, task) for task in pair]
        points: dict[str, tuple[float, float]] = {}
        for method in result["methods"]:
            x, y = (_main(method, task, metric) for task, metric in zip(pair, metrics, strict=True))
            if x is not None and y is not None:
                points[method["name"]] = (x, y)
        front = [method["name"] for method in result["methods"] if method.get("pareto") and method["name"] in points]
        if points:
            chart = page_charts.trade_off(
                points,
                (f"{metrics[0]} of {pair[0]}", f"{metrics[1]} of {pair[1]}"),
                (direction(metrics[0]) == LOWER, direction(metrics[1]) == LOWER),
                front,
                result["chosen"]["method"],
                len(pairs) == 1 and bool(front),
            )
            ways = "; ".join(f"{task}: {direction(m)}" for task, m in zip(pair, metrics, strict=True))
            parts.append(figure(chart, f"{ways}. The top right corner is best.", f"{pair[0]} and {pair[1]}"))
    if not parts:
        return missing("Trade-offs need two tasks with a measured metric.")
    left = len(pairs) - PICTURES
    cut = f" The other {left} pairs of tasks are not drawn." if left > 0 else ""
    note = (
        f"Means over the seeds on the eval split. Blue: on the Pareto front of all tasks. Bold: the chosen method.{cut}"
    )
    return f'<p class="note">{text(note)}</p>{pictures(parts)}'


def truth(result: Result) -> str:
    """Gap to the true probabilities of simulated logs."""
    found = {method["name"]: method["truth"] for method in result["methods"] if method.get("truth")}
    columns = list(dict.fromkeys((task, gap) for by in found.values() for task, gaps in by.items() for gap in gaps))
    rows = [(name, *(number(by.get(task, {}).get(gap)) for task, gap in columns)) for name, by in found.items()]
    classes = ["best" if name == result["chosen"]["method"] else "" for name in found]
    head = ("Method", *(f"{task}: {gap}" for task, gap in columns))
    note = (
        "Metric of the model minus metric of the true probabilities, on the eval split: 0 is perfect, lower is better."
    )
    return table("Gap to the truth", head, rows, classes) + f'<p class="note">{note}</p>'


def pictures(parts: Sequence[str], narrow: bool = False) -> str:
    """Figures side by side where they fit, two in a row, three if they are `narrow`."""
    return f'<div class="pictures{" narrow" if narrow else ""}">{"".join(parts)}</div>'


def interval(gain: Mapping[str, Any] | None) -> Markup:
    """A gain with its interval."""
    if not gain or gain.get("gain") is None:
        return Markup("–")
    bounds = "" if gain.get("lower") is None else f"{signed(gain['lower'])} to {signed(gain['upper'])}"
    return Markup(f"{signed(gain['gain'])}{small(bounds)}")


def verdict(gain: Mapping[str, Any] | None) -> Markup:
    """A verdict in its colour; a dash for a row that is not compared with itself."""
    if not gain:
        return Markup("–")
    kind = {"better": "ok", "worse": "no"}.get(gain["verdict"], "same")
    return Markup(f'<span class="{kind}">{text(gain["verdict"])}</span>')


def probability(value: float | None) -> str:
    """A p-value; one that rounds to 0 is below 0.0001."""
    return "< 0.0001" if value is not None and value < 0.00005 else number(value)


def seeds(values: Sequence[float | None] | None) -> str:
    """The values of the seeds, in their order."""
    return ", ".join(number(value) for value in values or [])


def chosen_rows(result: Result) -> list[str]:
    """Classes of the rows of a table with one row per method."""
    return ["best" if method["name"] == result["chosen"]["method"] else "" for method in result["methods"]]


def _metrics(result: Result, task: str) -> str:
    names = list(dict.fromkeys(name for method in result["methods"] for name in method["metrics"].get(task) or {}))
    rows = []
    for method in result["methods"]:
        found = method["metrics"].get(task) or {}
        cells = (found.get(name) or {} for name in names)
        rows.append(
            (method["name"], *(Markup(f"{number(c.get('mean'))}{small(seeds(c.get('by_seed')))}") for c in cells))
        )
    order = ", ".join(str(seed) for seed in result["seeds"])
    head = ("Method", *(f"{name} ({direction(name)})" for name in names))
    return table(f"{task}: mean, below it the values of the seeds {order}", head, rows, chosen_rows(result))


def _tests(result: Result, task: str) -> str:
    rows = []
    for method in result["methods"]:
        for other, by_task in (method.get("against") or {}).items():
            gain = by_task.get(task)
            if gain:
                tested = (probability(gain.get("p")), probability(gain.get("p_holm")), number(gain.get("visible")))
                named = "fixed weights" if other == "fixed" else other
                relative = percent(gain.get("relative"))
                rows.append((method["name"], named, verdict(gain), interval(gain), relative, *tested))
    head = ("Method", "Against", "Verdict", "Gain", "Relative gain", "p", "p (Holm)", "Visible from")
    return table(f"{task}: paired tests of {metric_of(result, task)}, by seeds and groups", head, rows, texts=3)


def _details(title: str, inner: str) -> str:
    return f"<details><summary>{text(title)}</summary>{inner}</details>"


def _gained(method: Mapping[str, Any], key: str, task: str) -> str:
    gain = against(method, key).get(task)
    return small(signed(gain["gain"])) if gain and gain.get("gain") is not None else ""


def _main(method: Mapping[str, Any], task: str, metric: str) -> float | None:
    value: float | None = ((method["metrics"].get(task) or {}).get(metric) or {}).get("mean")
    return value


def _percents(gain: Mapping[str, Any]) -> str:
    return "" if gain.get("lower") is None else f"{percent(gain['lower'])} to {percent(gain['upper'])}"


def _in_percent(gain: Mapping[str, Any]) -> dict[str, Any]:
    scaled = {key: None if gain.get(key) is None else 100.0 * gain[key] for key in ("gain", "lower", "upper")}
    return {**gain, **scaled}
