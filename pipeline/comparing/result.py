"""The result of a comparison, from what its methods left: `compare.json`."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import statistics
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.recipe.recipe import Recipe
from pipeline.comparing.eval_split import EvalSplit
from pipeline.comparing.methods import SHARED, TWINS, Method
from pipeline.comparing.normalized_entropy import normalized_entropy
from pipeline.comparing.verdicts import Comparison, Gain

FORMAT = 1
CONFIDENCE = 0.95


@dataclasses.dataclass(frozen=True, kw_only=True)
class About:
    """What `compare.json` says of the comparison as a whole. Names are its keys."""

    file: str
    command: str
    code: str
    data: Mapping[str, Any]
    match: str
    trials: int
    seeds: Sequence[int]
    examples: Mapping[str, int]
    test_reads: Mapping[str, int]


def result(
    recipe: Recipe,
    about: About,
    methods: Mapping[str, Method],
    left: Mapping[str, Mapping[str, Any]],
    split: EvalSplit,
    failed: Mapping[str, str],
) -> dict[str, Any]:
    """Measures the frozen candidates on the eval split and compares them.

    Args:
        recipe: the recipe of the comparison.
        about: facts.
        methods: name -> method, in the order of the table.
        left: name -> what `protocol.run_method` wrote, of the methods that did not fail.
        split: the eval split.
        failed: name -> message.

    Returns:
        The content of `compare.json`.
    """
    comparison = Comparison(split.tasks, split.groups, CONFIDENCE)
    measured: dict[str, dict[str, Any]] = {}
    for name, own in left.items():
        predictions = split.predictions(own["folders"])
        comparison.add(name, predictions)
        measured[name] = {
            "metrics": {task: _metrics(split, comparison, name, task, predictions[task]) for task in split.tasks},
            "truth": _truth(split, predictions),
        }
    against = {
        TWINS: comparison.gains({name: TWINS for name in left}) if TWINS in left else {},
        SHARED: comparison.gains({name: SHARED for name in left}) if SHARED in left else {},
        "fixed": comparison.gains(_with_fixed_weights(recipe, methods, left)),
    }
    delta_m = comparison.relative_gains(TWINS) if TWINS in left else {}
    rows = [_row(name, methods[name], own, measured[name], against, delta_m.get(name)) for name, own in left.items()]
    _mark_pareto(rows, split)
    groups = recipe.evaluation.group_key
    return {
        "format": FORMAT,
        "recipe": recipe.name,
        "gatewise": version("gatewise"),
        "recipe_fingerprint": fingerprint(recipe.model_dump(mode="json", by_alias=True)),
        **dataclasses.asdict(about),
        "budget": {about.match: next((own["budget"] for own in left.values()), None)} if about.match != "none" else {},
        "confidence": CONFIDENCE,
        "seconds": round(sum(row["cost"]["seconds"] for row in rows), 1),
        "groups": {"key": groups, "count": _count(split.groups)} if groups and split.groups is not None else None,
        "tasks": {
            task: {"kind": "binary" if one.binary else "regression", "metric": one.metric}
            for task, one in split.tasks.items()
        },
        "twins": TWINS,
        "chosen": _chosen(rows),
        "methods": rows,
        "failed": dict(failed),
    }


def fingerprint(content: Any) -> str:
    """16 hexadecimal digits of the SHA-256 of the content as JSON."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _row(
    name: str,
    method: Method,
    own: Mapping[str, Any],
    measured: Mapping[str, Any],
    against: Mapping[str, Mapping[str, Mapping[str, Gain]]],
    delta_m: Gain | None,
) -> dict[str, Any]:
    records = own["records"]
    scores = [record["score"] for record in records]
    trained = [*records, *own["trials"]]
    return {
        "name": name,
        **{part: getattr(method, part) for part in ("architecture", "backbone", "balancer", "asked")},
        "overrides": own["overrides"],
        "changes": own["changes"],
        "trials": own["trials"],
        "parameters": records[0]["parameters"]["network"],
        "off_budget": own["off_budget"],
        "flops": records[0]["flops"],
        "validation_score": {"mean": None if None in scores else statistics.fmean(scores), "by_seed": scores},
        "metrics": measured["metrics"],
        "against": {
            other: {task: gain.to_json() for task, gain in found[name].items()}
            for other, found in against.items()
            if name in found
        },
        "delta_m": delta_m.to_json() if delta_m else None,
        "cost": {
            "seconds_per_pass": _median(record["seconds_per_pass"] for record in records),
            "seconds": round(sum(record["seconds"] for record in trained), 1),
            "peak_memory": max(record["peak_memory"] for record in records),
            "page_ms": {part: _median(record["page_ms"][part] for record in records) for part in ("p50", "p99")},
        },
        "gates": records[0]["gates"],
        "task_weights": records[0]["task_weights"],
        "truth": measured["truth"],
    }


def _metrics(
    split: EvalSplit, comparison: Comparison, name: str, task: str, predictions: NDArray[Any]
) -> dict[str, dict[str, Any]]:
    about = split.tasks[task]
    found = {about.metric: [_known(value) for value in comparison.values(name, task)]}
    if about.binary:
        losses = [split.mean("log_loss", task, one) for one in predictions]
        found["log_loss"] = losses
        found["normalized_entropy"] = [
            None if loss is None else normalized_entropy(loss, about.labels, about.weights) for loss in losses
        ]
    return {metric: {"mean": _mean(values), "by_seed": values} for metric, values in found.items()}


def _truth(split: EvalSplit, predictions: Mapping[str, NDArray[Any]]) -> dict[str, dict[str, float]] | None:
    """The mean gap of each task's log loss, or rmse, to that of the true values, over the seeds."""
    gaps = {}
    for task, truth in split.truth.items():
        metric = "log_loss" if split.tasks[task].binary else "rmse"
        best, mine = split.mean(metric, task, truth), [split.mean(metric, task, one) for one in predictions[task]]
        if best is not None and (mean := _mean(mine)) is not None:
            gaps[task] = {f"{metric}_gap": mean - best}
    return gaps or None


def _with_fixed_weights(recipe: Recipe, methods: Mapping[str, Method], left: Mapping[str, Any]) -> dict[str, str]:
    """Each method with a balancer -> the same network with fixed weights."""
    names = {name: methods[name].with_fixed_weights.named(recipe.model.backbone) for name in left}
    return {name: other for name, other in names.items() if name != other and other in left}


def _mark_pareto(rows: Sequence[dict[str, Any]], split: EvalSplit) -> None:
    """Marks the methods that no other one beats: as good on all tasks by the means, and better on one."""
    points = {
        row["name"]: [
            one.sign * mean
            for task, one in split.tasks.items()
            if (mean := row["metrics"][task][one.metric]["mean"]) is not None
        ]
        for row in rows
    }
    for row in rows:
        own = points[row["name"]]
        row["pareto"] = not any(
            len(other) == len(own) and other != own and all(a >= b for a, b in zip(other, own, strict=True))
            for other in points.values()
        )


def _chosen(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The method with the best mean validation score, and what the eval split says about it."""
    known = [row for row in rows if row["validation_score"]["mean"] is not None]
    if not known:
        return None
    best = min(known, key=lambda row: row["validation_score"]["mean"])
    by = f"It has the best mean validation score ({best['validation_score']['mean']:.4f})."
    if best["name"] == TWINS:
        return {
            "method": TWINS,
            "significant": False,
            "why": f"{by} Sharing between the tasks does not pay on these logs.",
        }
    verdict = (best["delta_m"] or {}).get("verdict", "not measured")
    words = {
        "better": "On the eval split it is better than the single-task twins over all tasks.",
        "worse": "On the eval split it is worse than the single-task twins over all tasks.",
        "no difference": "On the eval split it is not different from the single-task twins over all tasks.",
        "not measured": "The eval split is too small to compare it with the single-task twins.",
    }
    return {"method": best["name"], "significant": verdict == "better", "why": f"{by} {words[verdict]}"}


def _count(groups: NDArray[Any]) -> int:
    """Number of users; a row without one is a user of its own."""
    return len(np.unique(groups[groups >= 0])) + int((groups < 0).sum())


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known and len(known) == len(values) else None


def _median(values: Any) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
