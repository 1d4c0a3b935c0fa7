"""Our training of the towers, as the trainer does it: python -m benchmarks.steps.retrieval_ours QUESTION.

The query: a RetrievalProblem, and `out`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks.stages.door import answer
from benchmarks.steps.retrieval_problem import ITEM, RetrievalProblem
from models.features.layout import FeatureLayout
from models.recipe.retrieval import Retrieval
from models.retrieval.interactions import Interactions
from models.retrieval.plan import HISTORY, IdPlan, RetrievalPlan
from models.retrieval.trainer import train
from models.training.checkpoint import TrainingCheckpoint

_EPOCHS = 2
"""The first one compiles; the second is timed, from the numbers in memory to the last step."""


def run(question: Mapping[str, Any]) -> dict[str, Any]:
    """Times an epoch.

    Returns:
        rows: positives. seconds. loss: of the epoch. version.
    """
    problem = RetrievalProblem.of(question)
    checkpoint = TrainingCheckpoint(Path(question["out"]) / "checkpoint")
    _, history = train(plan_of(problem), layout_of(problem), data_of(problem), checkpoint)
    return {
        "rows": problem.examples,
        "seconds": history[-1]["seconds"],
        "loss": history[-1]["loss"],
        "version": f"tensorflow {tf.__version__}",
    }


def plan_of(problem: RetrievalProblem) -> RetrievalPlan:
    """The plan that a recipe of these sizes would give the trainer."""
    return RetrievalPlan(
        user=IdPlan(column="user_id", type="int"),
        item=IdPlan(column=ITEM, type="int"),
        user_features=tuple(problem.users),
        item_features=tuple(problem.items),
        wide_tables=(),
        history_feature=ITEM,
        user_inputs={},
        item_inputs={},
        options=Retrieval(
            user="user_id",
            item=ITEM,
            positives={"click": 1.0},
            history=problem.history,
            dim=problem.dim,
            units=problem.units,
            epochs=_EPOCHS,
            batch_size=problem.batch,
            learning_rate=problem.learning_rate,
        ),
        prior=False,
        seed=problem.seed,
    )


def layout_of(problem: RetrievalProblem) -> FeatureLayout:
    """The layout of the problem's columns of ids: a table for each feature."""
    return FeatureLayout(
        tables={name: (rows, problem.dim) for name, rows in problem.features.items()},
        categorical=tuple((name, name) for name in problem.features),
        multivalued={},
        numeric=(),
    )


def data_of(problem: RetrievalProblem) -> Interactions:
    """The positives, each of weight 1."""
    ids = problem.ids()
    item = ids[ITEM]
    shares = np.bincount(item) / len(item)
    return Interactions(
        {"categorical": np.stack(list(ids.values()), axis=1), HISTORY: problem.histories()},
        item,
        np.log(shares[item]).astype(np.float32),
        np.ones(len(item), np.float32),
    )


if __name__ == "__main__":
    answer(run)
