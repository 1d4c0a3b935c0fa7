"""The report's section "Nights": each day's metrics, of the model that had not learned from it, and of the model of the night before."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from matplotlib import rc_context
from matplotlib.figure import Figure

from pipeline.night_list import NightSeen
from pipeline.report_charts import EVAL, INK, STYLE, TRAIN, short, svg
from pipeline.report_page import figure, number, signed, table, text

_MOST = 60


def nights(found: Sequence[NightSeen]) -> str:
    """The section; "" for fewer than two nights."""
    if len(found) < 2:
        return ""
    shown = found[-_MOST:]
    tasks = list(dict.fromkeys(task for night in shown for task in night.names))
    rows = [
        (night.day, night.outcome, *(part for task in tasks for part in _cells(night, task)), _age(night))
        for night in reversed(shown)
    ]
    name = {task: night.names[task] for night in shown for task in night.names}
    head = (
        "Day",
        "Outcome",
        *(part for task in tasks for part in (f"{task} {name[task]}", "since the last")),
        "Age of the last",
    )
    classes = ["" if night.outcome in ("pushed", "already pushed") else "failed" for night in reversed(shown)]
    listed = table("Metrics of each day, newest first", head, rows, classes, texts=2)
    drawn = figure(
        by_day(shown, tasks),
        "Main metric of each task by day: of the night's model, one day old, and of the model of the last pushed night, on the same examples. "
        "No model had learned from the day.",
    )
    return f'{drawn}{listed}<p class="note">{text(_of_age(shown, tasks))}</p>{_learned(shown, tasks)}'


def by_day(shown: Sequence[NightSeen], tasks: Sequence[str]) -> str:
    """One panel per task: its main metric by day, of the night's model and of the last pushed one."""
    with rc_context(STYLE):
        drawing = Figure(figsize=(9.2, 1.5 * len(tasks) + 0.5), layout="constrained")
        places = range(len(shown))
        for index, task in enumerate(tasks):
            axes = drawing.add_subplot(len(tasks), 1, index + 1)
            for label, colour, values in (
                ("last pushed model", TRAIN, [night.baseline.get(task) for night in shown]),
                ("the night's model", EVAL, [night.metrics.get(task) for night in shown]),
            ):
                numbers = [math.nan if value is None else value for value in values]
                axes.plot(places, numbers, color=colour, linewidth=1.6, marker="o", markersize=3, label=label)
            axes.set_title(short(task), loc="left", fontsize=10, fontweight="bold")
            axes.grid(axis="y", color=INK, alpha=0.12, linewidth=0.6)
            axes.margins(y=0.2)
            ticks = list(places)[:: math.ceil(len(shown) / 8)]
            axes.set_xticks(
                ticks, [shown[tick].day for tick in ticks] if index == len(tasks) - 1 else [""] * len(ticks)
            )
            if index == 0:
                axes.legend(frameon=False, fontsize=9, handlelength=1.2, ncols=2, loc="lower left")
        return svg(drawing, "nights", "Main metric of each task by day")


def _learned(shown: Sequence[NightSeen], tasks: Sequence[str]) -> str:
    """What each night learned, and how well it was predicted before: late labels count in the night in which their window has closed."""
    nights = [night for night in reversed(shown) if night.learned]
    if not nights:
        return ""
    known = [task for task in tasks if any(task in night.learned for night in nights)]
    rows = []
    for night in nights:
        parts = [night.learned.get(task) for task in known]
        rows.append(
            (
                night.day,
                *(
                    cell
                    for part in parts
                    for cell in (("–", "–") if part is None else (f"{part[0]:,}", number(part[1])))
                ),
            )
        )
    head = ("Day", *(part for task in known for part in (f"{task} labels", "loss before")))
    return table(
        "Labels whose windows closed since the night before, and the loss before they were learned", head, rows, texts=1
    )


def _cells(night: NightSeen, task: str) -> tuple[str, str]:
    value, before = night.metrics.get(task), night.baseline.get(task)
    change = signed(value - before) if value is not None and before is not None else "–"
    return number(value), change


def _age(night: NightSeen) -> str:
    return "–" if night.baseline_age is None else f"{night.baseline_age:g} d"


def _of_age(shown: Sequence[NightSeen], tasks: Sequence[str]) -> str:
    """What a day more of age costs, in words."""
    parts = []
    for task in tasks:
        changes: dict[float, list[float]] = {}
        for night in shown:
            value, before = night.metrics.get(task), night.baseline.get(task)
            if value is not None and before is not None and night.baseline_age is not None:
                changes.setdefault(night.baseline_age, []).append(before - value)
        told = ", ".join(
            f"{signed(statistics.fmean(values))} at {age:g} days ({len(values)} {'night' if len(values) == 1 else 'nights'})"
            for age, values in sorted(changes.items())
        )
        if told:
            parts.append(f"{task}: {told}")
    return (
        f"The last pushed model less the night's model, by its age. {'; '.join(parts)}."
        if parts
        else "No model has been compared with an older one."
    )
