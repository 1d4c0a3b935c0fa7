"""The answer of `gatewise compare` in the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from pipeline.comparing.answer import MISSING, Result, against, answer, direction, metric_of, percent, visible

SIGNS = {"better": ("+", "green"), "worse": ("-", "red"), "no difference": ("=", "dim"), "not measured": ("?", "dim")}
"""Verdict against the twins -> its sign and style."""

TASKS = 4
"""Tasks side by side in 80 columns. More tasks continue in another table."""


def tables(result: Result) -> list[Table | str]:
    """The methods as rows, then the answer, then the smallest visible differences. Fits 80 columns."""
    tasks = list(result["tasks"])
    parts = [tasks[start : start + TASKS] for start in range(0, len(tasks), TASKS)]
    ways = dict.fromkeys(f"{metric_of(result, task)}: {direction(metric_of(result, task))}" for task in tasks)
    title = f"{len(result['methods'])} methods on the eval split, mean of {len(result['seeds'])} seeds"
    shown = [_table(result, part, index == 0) for index, part in enumerate(parts)]
    found = answer(result)
    least = ", ".join(f"{task} {value:.4f} {metric_of(result, task)}" for task, value in visible(result).items())
    legend = f"Against {result['twins']}: + better, - worse, = no difference, ? not measured. *: chosen."
    return [
        f"{title} ({'; '.join(ways)})\n",
        *shown,
        f"\n{legend}\n",
        " ".join((found.headline, *found.sentences[:-1])) if least else " ".join((found.headline, *found.sentences)),
        f"Smallest visible difference: {least or MISSING}",
    ]


def _table(result: Result, tasks: Sequence[str], costs: bool) -> Table:
    gap = 1 if len(tasks) < TASKS else 0  # beside the divider of the box, a space
    made = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, gap, 0, 0))
    made.add_column("method", overflow="fold", min_width=16)
    for task in tasks:
        made.add_column(Text(f"{task}\n{metric_of(result, task)}", overflow="fold"), justify="right", min_width=8)
    if costs:
        for heading, width in (("Δm", 7), ("para-\nmeters", 7), ("s a\npass", 5)):
            made.add_column(heading, justify="right", min_width=width)
    for method in result["methods"]:
        mark = " *" if method["name"] == result["chosen"]["method"] else ""
        cells = [_mean(result, method, task) for task in tasks]
        made.add_row(f"{method['name']}{mark}", *cells, *(_costs(method) if costs else ()))
    return made


def _mean(result: Result, method: Mapping[str, Any], task: str) -> Text:
    """The main metric and the sign of the verdict."""
    value = ((method["metrics"].get(task) or {}).get(metric_of(result, task)) or {}).get("mean")
    gain = against(method, result["twins"]).get(task)
    sign, style = SIGNS[gain["verdict"]] if gain else ("·", "dim")
    shown = MISSING if value is None else f"{value:.4f}" if abs(value) < 1000 else f"{value:.1f}"
    return Text(f"{shown} ") + Text(sign, style=style)


def _costs(method: Mapping[str, Any]) -> tuple[str, str, str]:
    seconds = (method.get("cost") or {}).get("seconds_per_pass")
    return (
        percent((method.get("delta_m") or {}).get("gain")).replace(" ", ""),
        f"{method['parameters']:,}",
        MISSING if seconds is None else f"{seconds:.2f}",
    )
