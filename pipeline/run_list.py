"""The table of `gatewise runs`: filters, order and rows. Pure functions on records."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.table import Table

from models.recipe.errors import InputError
from models.recipe.registry import lookup
from models.recipe.tasks import COUNTS, LOWER_IS_BETTER
from pipeline.run_records import Record, main_metric, outcome

HEAD = ("run", "started (UTC)", "recipe", "outcome", "metrics", "seconds", "overrides")


def selected(
    records: Sequence[Record],
    *,
    recipe: str | None = None,
    task: str | None = None,
    metric: str | None = None,
    last: int | None = None,
) -> list[Record]:
    """The records to list, newest first; with a task, the best first.

    Args:
        records: newest first.
        recipe: keep the runs of this recipe.
        task: keep the runs that measured this task, and sort by it.
        metric: sort by this metric of the task. None: its main metric in the newest run.
        last: keep the newest ones, this many.

    Raises:
        InputError: no record has this recipe, task or metric.
    """
    if recipe is not None:
        lookup(recipe, {record["recipe"]: None for record in records}, "recipe", "--recipe")
    kept = [record for record in records if recipe in (None, record["recipe"])]
    if task is not None:
        metric = _metric(kept, task, metric)
        kept = [record for record in kept if _value(record, task, metric) is not None]
    kept = kept[:last]
    if task is None or metric is None:
        return kept
    return sorted(kept, key=lambda record: _badness(metric, _value(record, task, metric)))


def table(records: Sequence[Record], task: str | None = None, metric: str | None = None) -> Table:
    """One row per run. The metrics are the main one of each task, or the given task's."""
    made = Table(title="Runs", title_justify="left")
    for name in HEAD:
        made.add_column(
            name, justify="right" if name == "seconds" else "left", no_wrap=name != "overrides", overflow="fold"
        )
    for record in records:
        made.add_row(*row(record, task, metric))
    return made


def row(record: Record, task: str | None = None, metric: str | None = None) -> tuple[str, ...]:
    """The cells of a run, in the order of `HEAD`."""
    seconds = record.get("seconds")
    given = [*record["overrides"], *([f"--data {record['data_option']}"] if record["data_option"] else [])]
    return (
        record["id"],
        record["started"][:16].replace("T", " "),
        record["recipe"],
        outcome(record),
        "\n".join(_measured(record, [task] if task else list(record.get("metrics") or {}), metric)),
        "-" if seconds is None else f"{seconds:.0f}",
        "\n".join(given),
    )


def _measured(record: Record, tasks: Sequence[str], metric: str | None) -> list[str]:
    lines = []
    for task in tasks:
        name = metric or main_metric(record, task)
        value = _value(record, task, name) if name else None
        if value is not None:
            lines.append(f"{task} {name} {value:.4f}")
    return lines


def _metric(records: Sequence[Record], task: str, metric: str | None) -> str:
    """The metric to sort by, checked against what the runs have measured."""
    measured = [record["metrics"] for record in records if record.get("metrics")]
    lookup(task, {name: None for metrics in measured for name in metrics}, "task", "--task")
    names = {name: None for metrics in measured for name in metrics.get(task) or {} if name not in COUNTS}
    if metric is not None:
        lookup(metric, names, "metric", "--metric")
    if not names:
        raise InputError(f"--task {task}: no run has a value of a metric of this task. Choose another task.")
    return metric or next(iter(names))


def _value(record: Record, task: str, metric: str) -> float | None:
    value = ((record.get("metrics") or {}).get(task) or {}).get(metric)
    return None if value is None or not math.isfinite(value) else float(value)


def _badness(metric: str, value: float | None) -> float:
    """Smaller is better; calibration is best at 1."""
    if value is None:
        return math.inf
    if metric == "calibration":
        return abs(value - 1.0)
    return value if metric in LOWER_IS_BETTER else -value
