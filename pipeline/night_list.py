"""The nights of a recipe, from the records of its runs: progressive validation. Pure functions on files; imports no TensorFlow."""

from __future__ import annotations

import dataclasses
import datetime
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from models.recipe.spans import start_of
from pipeline.run_record import FINISHED
from pipeline.run_records import Record, main_metric, outcome


@dataclasses.dataclass(frozen=True, kw_only=True)
class NightSeen:
    """A night: the day that its models were evaluated on, before any of them learned from it.

    Attributes:
        day: the day of the run.
        outcome: that of the run, such as "pushed" or "not blessed".
        metrics: {task: value of its main metric} of the night's model.
        baseline: the same of the model of the last pushed night, on the same examples; {} if there is none.
        baseline_age: days from that night's day to this one; None if there is none.
        names: {task: name of its main metric}.
        learned: {task: number of labels that closed since the night before, and the mean loss on them before the night learned them}; {} for a
            cold start.
    """

    day: str
    outcome: str
    metrics: Mapping[str, float | None]
    baseline: Mapping[str, float | None]
    baseline_age: float | None
    names: Mapping[str, str]
    learned: Mapping[str, tuple[int, float]] = dataclasses.field(default_factory=dict)


def nights_of(records: Sequence[Record], until: str) -> list[NightSeen]:
    """The nights of a recipe up to a day, the oldest first. Of several runs of a day, the newest finished one counts.

    Args:
        records: records of the recipe's runs, newest first (`run_records.read_records`).
        until: the last day, "2026-01-09" or "2026-01-09T05".
    """
    chosen: dict[str, Record] = {}
    for record in records:
        day = ((record.get("resolved") or {}).get("logs") or {}).get("day")
        warm = ((record.get("resolved") or {}).get("training") or {}).get("start") == "warm"
        if not warm or not record["push"] or day is None or len(day) != len(until) or start_of(day) > start_of(until):
            continue
        if day not in chosen or (chosen[day]["state"] != FINISHED and record["state"] == FINISHED):
            chosen[day] = record
    found, pushed = [], None
    for day in sorted(chosen, key=start_of):
        record = chosen[day]
        found.append(_seen(day, record, pushed))
        if record.get("serving"):
            pushed = day
    return found


def _seen(day: str, record: Record, pushed: str | None) -> NightSeen:
    names = {task: name for task in record.get("metrics") or {} if (name := main_metric(record, task)) is not None}
    before = _metrics(record).get("baseline") or {}
    age = None if pushed is None else (start_of(day) - start_of(pushed)) / datetime.timedelta(days=1)
    return NightSeen(
        day=day,
        outcome=outcome(record),
        metrics={task: record["metrics"][task][name] for task, name in names.items()},
        baseline={task: before[task].get(name) for task, name in names.items() if task in before},
        baseline_age=age if before else None,
        names=names,
        learned=_learned(record),
    )


def _learned(record: Record) -> dict[str, tuple[int, float]]:
    history = _read(Path(record.get("training") or "/nonexistent") / "history.json")
    before = ((history.get("start") or {}).get("evaluation") or {}).get("before_learning") or {}
    return {task: (value["labels"], value["loss"]) for task, value in before.items()}


def _metrics(record: Record) -> dict[str, Any]:
    return _read(Path(record.get("evaluation") or "/nonexistent") / "metrics.json")


def _read(file: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # pruned, or not written yet
        return {}
    return found
