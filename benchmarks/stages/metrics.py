"""The metrics alone: predictions and labels of so many rows in memory -> all metrics of all tasks and slices.

python -m benchmarks.stages.metrics QUESTION, with `recipe`, `rows` and `seed`. The numbers are drawn: rare positives, distinct
predictions, weights as in the logs, groups of a few rows, and the recipe's slices with as many values as in the logs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.stages.door import answer, clock
from benchmarks.wide_logs import IDS, INTEGERS, TEXTS
from components.evaluation.plan import EvaluationPlan
from components.evaluation.report import EvalExamples, evaluate
from components.evaluation.slices import Coded
from models.recipe.file import load_recipe


def run(question: Mapping[str, Any]) -> dict[str, Any]:
    """Measures the drawn predictions."""
    plan = EvaluationPlan.from_recipe(load_recipe(question["recipe"]))
    rows, random = question["rows"], np.random.default_rng(question["seed"])
    columns = {name: _column(random, name, rows) for name in plan.columns}
    labels, weights, predictions = {}, {}, {}
    for task, about in plan.tasks.items():
        chance = random.beta(2.0, 20.0, rows).astype(np.float32)
        positive = (random.random(rows) < chance).astype(np.float32)
        binary = about.kind == "binary"
        labels[task] = positive if binary else (positive * random.lognormal(3.0, 1.0, rows)).astype(np.float32)
        predictions[task] = chance if binary else (100.0 * chance).astype(np.float32)
        weights[task] = np.ones(rows, np.float32)
    with clock() as seconds:
        report = evaluate(plan, EvalExamples(labels=labels, weights=weights, columns=columns), predictions)
    return {"rows": rows, "seconds": seconds[0], "tasks": len(report.tasks), "slices": len(report.slices)}


def _column(random: np.random.Generator, name: str, rows: int) -> Coded:
    values = (IDS | TEXTS | INTEGERS)[name]
    codes = random.integers(0, values, rows, dtype=np.int32)
    return Coded(codes=codes, values=[f"{name}-{value}" for value in range(values)])


if __name__ == "__main__":
    answer(run)
