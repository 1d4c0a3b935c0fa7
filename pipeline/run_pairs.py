"""Compares the eval predictions of two runs on the same examples."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from components.evaluation.eval_predictions import prediction_of
from components.evaluation.paired import difference
from components.example_schema import EXAMPLE_ID, label_of, weight_of
from models.recipe.tasks import COUNTS
from pipeline.run_diff import Paired
from pipeline.run_records import Record


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pairs:
    """The comparisons by (task, metric), and why a task has none."""

    found: Mapping[tuple[str, str], Paired]
    why_not: list[str]


def paired_metrics(a: Record, b: Record) -> Pairs:
    """The paired comparison of every metric that both runs measured, where both predicted the same examples.

    Two runs have the same examples of a task if their predictions have the same example ids, labels and weights. The clusters
    of the interval are the groups of `evaluation.group_key`, else the examples (`components.evaluation.paired`).
    """
    tasks = [task for task in a.get("metrics") or {} if task in (b.get("metrics") or {})]
    folders = [Path(record.get("predictions") or "/nonexistent") for record in (a, b)]
    for record, folder in zip((a, b), folders, strict=True):
        if not any(folder.glob("*.parquet")):
            return Pairs(found={}, why_not=[f"no paired comparison: {record['id']} has no eval predictions."])
    first, second = (pl.read_parquet(folder / "*.parquet").sort(EXAMPLE_ID) for folder in folders)
    if not first[EXAMPLE_ID].equals(second[EXAMPLE_ID]):
        return Pairs(found={}, why_not=["no paired comparison: the runs have different eval examples."])
    groups = _groups(first, a["resolved"]["evaluation"]["group_key"])
    found: dict[tuple[str, str], Paired] = {}
    why_not = []
    for task in tasks:
        if not all(first[name].equals(second[name]) for name in (label_of(task), weight_of(task))):
            why_not.append(f"no paired comparison of {task}: its labels or weights differ.")
            continue
        metrics = [name for name in a["metrics"][task] if name in b["metrics"][task] and name not in COUNTS]
        binary = a["resolved"]["tasks"][task]["kind"] == "binary"
        found |= {
            (task, name): one
            for name, one in _compared(task, metrics, first, second, groups, binary)
            if one is not None
        }
    return Pairs(found=found, why_not=why_not)


def _compared(
    task: str, metrics: Iterable[str], first: pl.DataFrame, second: pl.DataFrame, groups: Any, binary: bool
) -> Iterable[tuple[str, Paired | None]]:
    labels, weights = first[label_of(task)].to_numpy(), first[weight_of(task)].to_numpy()
    ours, theirs = (frame[prediction_of(task)].to_numpy() for frame in (first, second))
    for name in metrics:
        if name == "gauc" and groups is None:
            continue
        # The loss of A to B is the gain of B over A.
        one = difference(name, labels, weights, ours, theirs, groups, binary)
        lower, upper = one.interval
        known = np.isfinite([one.loss, lower, upper]).all()
        yield name, Paired(gain=one.loss, lower=lower, upper=upper) if known else None


def _groups(frame: pl.DataFrame, key: str | None) -> Any:
    """(n,) codes of the groups, -1 if missing; None without a group key."""
    if key is None or key not in frame.columns:
        return None
    return frame[key].cast(pl.Categorical).to_physical().cast(pl.Int64).fill_null(-1).to_numpy()
