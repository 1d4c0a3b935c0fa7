"""The tables of `gatewise runs diff`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from pipeline.run_diff import MISSING, Paired, changed, changed_inputs, compared_metrics
from pipeline.run_records import Record, outcome


def tables(a: Record, b: Record, paired: Mapping[tuple[str, str], Paired]) -> list[Table | str]:
    """What differs between two runs: recipe, data and code, metrics. A sentence stands for a table without rows.

    Args:
        a, b: the records.
        paired: their paired comparisons by (task, metric).
    """
    recipe = changed(a["resolved"], b["resolved"])
    inputs = changed_inputs(a, b)
    return [
        f"A: {_named(a)}\nB: {_named(b)}\n",
        _sides("Recipe", "key", recipe) if recipe else "The recipes are equal.",
        _sides("Data and code", "what", inputs) if inputs else "Data and code are equal.",
        _metrics(compared_metrics(a, b, paired)),
    ]


def _named(record: Record) -> str:
    given = " ".join(record["overrides"])
    return f"{record['id']} ({record['recipe']}, {outcome(record)}){f': {given}' if given else ''}"


def _sides(title: str, what: str, rows: list[tuple[str, str, str]]) -> Table:
    made = Table(what, "A", "B", title=title, title_justify="left")
    for row in rows:
        made.add_row(*row)
    return made


def _metrics(rows: list[tuple[str, str, float | None, float | None, Paired | None]]) -> Table:
    made = Table("task", "metric", title="Metrics on the eval split", title_justify="left")
    for heading in ("A", "B", "B - A", "gain of B, 95 % interval"):
        made.add_column(heading, justify="right")
    made.add_column("B is")
    for task, metric, first, second, pair in rows:
        apart = None if first is None or second is None else second - first
        interval = MISSING if pair is None else f"{pair.gain:+.4f} ({pair.lower:+.4f} to {pair.upper:+.4f})"
        words = MISSING if pair is None else pair.verdict
        made.add_row(task, metric, _number(first), _number(second), _number(apart, "+.4f"), interval, words)
    return made


def _number(value: Any, how: str = ",.4f") -> str:
    return MISSING if value is None else format(value, how)
