"""The join's problem as plain values, for those who do it by hand, and what must come out."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import polars as pl

from components.event_logs.plan import EventLogsPlan
from models.recipe_file import load_recipe


@dataclasses.dataclass(frozen=True, kw_only=True)
class JoinTask:
    """A task; `value`: the column that a regression task sums."""

    name: str
    stream: str
    window_ms: int
    given: str | None
    value: str | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Problem:
    """Streams, all with times in milliseconds in the column `time`, and tasks, each after the one that it is given."""

    paths: dict[str, str]
    event_ids: dict[str, str]
    outcomes: tuple[str, ...]
    key: tuple[str, ...]
    tasks: tuple[JoinTask, ...]
    columns: tuple[str, ...]
    as_of_ms: int
    split_at_ms: int


def problem_of(recipe: str) -> Problem:
    """The problem of a recipe over the wide logs."""
    plan = EventLogsPlan.from_recipe(load_recipe(recipe))
    streams = {stream.name: stream for stream in plan.streams}
    if plan.as_of is None or plan.split.eval_last is None:
        raise ValueError(f"{recipe}: expected a fixed `as_of` and a split by `eval_last`")
    return Problem(
        paths={name: stream.path for name, stream in streams.items()},
        event_ids={name: str(stream.event_id) for name, stream in streams.items()},
        outcomes=tuple(name for name in streams if name != plan.impressions),
        key=streams[str(plan.impressions)].key,
        tasks=tuple(
            JoinTask(
                name=task.name,
                stream=str(task.stream),
                window_ms=task.window // 1000,
                given=task.given,
                value=streams[str(task.stream)].value if task.kind == "regression" else None,
            )
            for task in plan.tasks
        ),
        columns=tuple(column.name for column in plan.columns),
        as_of_ms=plan.as_of // 1000,
        split_at_ms=(plan.as_of - plan.split.eval_last) // 1000,
    )


def positives(out: Path, problem: Problem) -> dict[str, Any]:
    """`rows`, and `tasks`: of each split the examples, observed and positive ones, as our stage's summary counts them."""
    found: dict[str, Any] = {task.name: {} for task in problem.tasks}
    rows = 0
    for split in ("train", "eval"):
        paths = sorted(out.glob(f"{split}*.parquet"))
        names = [f"{part}/{task.name}" for task in problem.tasks for part in ("label", "weight")]
        table = pl.concat([pl.read_parquet(path, columns=names) for path in paths])
        rows += table.height
        for task in problem.tasks:
            found[task.name][split] = {
                "examples": table.height,
                "observed": int((table[f"weight/{task.name}"] > 0).sum()),
                "positives": int((table[f"label/{task.name}"] > 0).sum()),
            }
    return {"rows": rows, "tasks": found}
