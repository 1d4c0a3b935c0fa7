"""The eval split of a comparison: labels, weights and users of its rows, the truth of simulated logs, and predictions in their order."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluation.clusters import clusters
from components.evaluation.influence import influences
from components.evaluation.plan import EvaluationPlan, compared_metric, truth_fingerprint
from components.evaluation.reading import read_examples
from components.evaluation.references import example_ids
from components.evaluation.scores import Scores
from components.evaluation.slices import one_slice
from components.evaluation.truth import read_truth
from components.references.predictions import read_predictions
from components.storage.finding import matching
from models.recipe.recipe import Recipe
from pipeline.comparing.trial import PREDICTIONS
from pipeline.comparing.verdicts import Task


@dataclasses.dataclass(frozen=True, kw_only=True)
class EvalSplit:
    """The rows on which the frozen candidates are measured.

    Attributes:
        tasks: the served tasks, by what they are measured.
        ids: (n,) example ids.
        groups: (n,) codes of the users, -1 if missing; None without `evaluation.group_key`.
        truth: task -> (n,) true probabilities, of simulated logs.
    """

    tasks: Mapping[str, Task]
    ids: NDArray[np.int64]
    groups: NDArray[Any] | None
    truth: Mapping[str, NDArray[Any]]

    def predictions(self, folders: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """The predictions of one candidate with each seed: task -> (seeds, n).

        Args:
            folders: the trainings' folders, in the order of the seeds.
        """
        by_seed = [read_predictions(folder, PREDICTIONS, self.ids) for folder in folders]
        return {task: np.stack([one[task] for one in by_seed]) for task in self.tasks}

    def mean(self, metric: str, task: str, predictions: NDArray[Any]) -> float | None:
        """A metric that is a mean over rows, such as log_loss, of predictions; None without observed rows."""
        about = self.tasks[task]
        scores = Scores(labels=about.labels, predictions=predictions, weights=about.weights)
        rows = one_slice(np.ones(len(self.ids), np.bool_))
        found = influences([metric], scores, None, rows, clusters(rows, None), about.binary).get(metric)
        return None if found is None or not np.isfinite(found.values[0]) else float(found.values[0])


def read_eval_split(recipe: Recipe, examples: Path, transformed: Path) -> EvalSplit:
    """Reads the eval split.

    Args:
        recipe: the recipe of the comparison.
        examples, transformed: folders of the artifacts of EventLogs and Features.
    """
    plan = EvaluationPlan.from_recipe(recipe)
    raw, arrow = (
        matching(str(folder / "Split-eval"), pattern)
        for folder, pattern in ((examples, "*.parquet"), (transformed, "*.arrow"))
    )
    columns = [plan.group_key] if plan.group_key else []
    rows = read_examples(raw, arrow, columns, event_id=plan.truth is not None)
    return EvalSplit(
        tasks={
            task: Task(
                metric=compared_metric(about.kind, about.metrics),
                labels=rows.labels[task],
                weights=rows.weights[task],
                binary=about.kind == "binary",
            )
            for task, about in plan.tasks.items()
        },
        ids=example_ids(arrow),
        groups=rows.columns[plan.group_key].codes if plan.group_key else None,
        truth=read_truth(plan.truth, rows.event_ids, truth_fingerprint(recipe)) if plan.truth else {},
    )
