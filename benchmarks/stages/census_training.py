"""One training of ours, and its metrics on the eval split: python -m benchmarks.stages.census_training QUESTION.

The question: `recipe`, `overrides` and `data` as `load_recipe` takes them; `inputs`, the folder with the artifacts of the features
stage; `architecture`, of the ranker or a reference of `evaluation.references`; `seed`. A reference is trained as the stage
References trains it: the linear model at its own learning rate, the twins with the ranker's number of parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.binary_metrics import binary_metrics
from benchmarks.census_plan import REFERENCES, recipe_of
from benchmarks.stages.door import answer, clock
from components.references.plan import ReferencesPlan
from components.references.training import network_of, reference_plan, train_reference
from models.features.input_pipeline import read_split
from models.features.layout import FeatureLayout
from models.training.checkpoint import TrainingCheckpoint
from models.training.plan import TrainerPlan


def run(question: Mapping[str, Any]) -> dict[str, Any]:
    """`metrics` {task: of the eval split}, `about`: passes, the best one, parameters."""
    name, inputs = question["architecture"], Path(question["inputs"])
    recipe = recipe_of(question["recipe"], question["overrides"], question["data"], name, question["seed"])
    layout = FeatureLayout.load(inputs / "transform_graph")
    plan = TrainerPlan.from_recipe(recipe)
    if name in REFERENCES:
        plan = reference_plan(ReferencesPlan.from_recipe(recipe), name, network_of(plan, layout))
    data, validate, evaluation = (
        read_split(str(inputs / "transformed_examples" / f"Split-{split}" / "*"))
        for split in ("train", "validate", "eval")
    )
    checkpoint = TrainingCheckpoint(Path(question["out"]) / "checkpoint")
    with clock() as seconds:
        found = train_reference(plan, name, layout, data, validate, evaluation, checkpoint)
    labels = np.asarray(evaluation.labels[:])
    return {
        "rows": len(data.example_id),
        "seconds": seconds[0],
        "cpu_seconds": seconds[1],
        "metrics": {
            task: binary_metrics(labels[:, place], found.predictions[task]) for place, task in enumerate(plan.tasks)
        },
        "about": found.about,
    }


if __name__ == "__main__":
    answer(run)
