"""The join as a script in Polars: one process, scans, `join_asof` for the last touch, Parquet out.

python -m benchmarks.joins.polars_script QUESTION, with `data`, the folder of the wide logs, and `problem`, a Problem. The
labels are those of our stage; accounts, dead letters and checks of the input are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.joins.problem import JoinTask, Problem, positives
from benchmarks.stages.door import answer, clock


def run(question: Mapping[str, Any]) -> dict[str, Any]:
    """The join of all the logs in `data`, written to `out`."""
    problem, data, out = Problem.of(question["problem"]), Path(question["data"]), Path(question["out"])
    with clock() as seconds:
        join(problem, data, out)
    return {"seconds": seconds[0], **positives(out, problem)}


def join(problem: Problem, data: Path, out: Path) -> None:
    """Writes train.parquet and eval.parquet: the columns of the impressions, label/<task> and weight/<task>."""
    name = problem.event_ids["impression"]
    key = list(problem.key)
    touches = (
        pl.scan_parquet(data / problem.paths["impression"])
        .select(name, *key, "time")
        .sort("time", name)
        .unique(name, keep="first", maintain_order=True)
        .collect()
    )
    labels = touches.select(name, "time")
    for task in problem.tasks:
        labels = labels.join(_credited(problem, task, data, touches), on=name, how="left", maintain_order="left")
    positive: dict[str | None, pl.Expr] = {None: pl.lit(True)}
    columns = []
    for task in problem.tasks:
        happened = pl.col(task.name).is_not_null()
        observed = (pl.col("time") + task.window_ms <= problem.as_of_ms) & positive[task.conditioned_on]
        positive[task.name] = observed & happened
        label = pl.when(observed).then(pl.col(task.name).fill_null(0.0)).otherwise(0.0)
        columns += [label.cast(pl.Float32).alias(f"label/{task.name}")]
        columns += [observed.cast(pl.Float32).alias(f"weight/{task.name}")]
    labels = labels.select(name, *columns)
    # One join with the wide side, streamed from the files into the files.
    wide = pl.scan_parquet(data / problem.paths["impression"]).join(labels.lazy(), on=name, how="left")
    for split, (start, end) in problem.spans.items():
        wide.filter(pl.col("time").is_between(start, end, closed="left")).sink_parquet(out / f"{split}.parquet")


def _credited(problem: Problem, task: JoinTask, data: Path, touches: pl.DataFrame) -> pl.DataFrame:
    """(event id of an impression, label) of the impressions with an outcome inside the window."""
    event = problem.event_ids[task.stream]
    name, key = problem.event_ids["impression"], list(problem.key)
    events = (
        pl.scan_parquet(data / problem.paths[task.stream])
        .sort("time", event)
        .unique(event, keep="first", maintain_order=True)
        .collect()
    )
    joined = events.join_asof(touches, on="time", by=key, strategy="backward", tolerance=task.window_ms)
    found = joined.filter(pl.col(name).is_not_null())
    label = pl.col(task.value).sum() if task.value else pl.lit(1.0).first()
    return found.group_by(name).agg(label.cast(pl.Float64).alias(task.name))


if __name__ == "__main__":
    answer(run)
