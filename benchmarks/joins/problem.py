"""The join problem as plain values for hand-written peers, and its expected result. Uses Polars, no code of gatewise."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl


@dataclasses.dataclass(frozen=True, kw_only=True)
class JoinTask:
    """A task; `value`: the column that a regression task sums."""

    name: str
    stream: str
    window_ms: int
    conditioned_on: str | None
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
    validate_at_ms: int
    eval_at_ms: int

    @property
    def spans(self) -> dict[str, tuple[int, int]]:
        """{split: (its first millisecond, the first one after it)}."""
        limits = (-(2**62), self.validate_at_ms, self.eval_at_ms, 2**62)
        return dict(zip(("train", "validate", "eval"), itertools.pairwise(limits), strict=True))

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Problem:
        """The problem that JSON has carried as `dataclasses.asdict`."""
        tasks = tuple(JoinTask(**task) for task in values["tasks"])
        return cls(
            **{**values, "tasks": tasks, **{name: tuple(values[name]) for name in ("outcomes", "key", "columns")}}
        )


def positives(out: Path, problem: Problem) -> dict[str, Any]:
    """`rows`, and `tasks`: of each split the examples, observed and positive ones, as our stage's summary counts them."""
    found: dict[str, Any] = {task.name: {} for task in problem.tasks}
    rows = 0
    for split in problem.spans:
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
