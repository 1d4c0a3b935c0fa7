from __future__ import annotations

import contextlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from models.features import input_pipeline
from models.features.layout import FeatureLayout
from models.losses.adaptive_grid import adaptive_grid
from models.recipe.recipe import Recipe
from models.training import trainer
from models.training.build import check_methods
from models.training.checkpoint import TrainingCheckpoint
from models.training.label_options import with_label_options
from models.training.plan import TrainerPlan


def plan_of(problem: SimpleNamespace, **options: Any) -> TrainerPlan:
    tasks = problem.recipe["tasks"]
    value = {**tasks["value"], "loss": "cread", "loss_options": {"cread": options}}
    training = {**problem.recipe["training"], "epochs": 2, "precision": "mixed_bfloat16", "steps_per_execution": 2}
    recipe = {**problem.recipe, "tasks": {**tasks, "value": value}, "training": training}
    return TrainerPlan.from_recipe(Recipe.model_validate(recipe))


def test_a_loss_sees_the_observed_labels_of_its_task(problem: SimpleNamespace) -> None:
    plan = plan_of(problem, steps=2, alpha=0)
    check_methods(plan)
    labels, weights = np.float32([[0, 1], [1, 5], [0, 7], [1, 1e6]]), np.float32([[1, 1], [1, 2], [1, 1], [1, 0]])
    found = with_label_options(plan, SimpleNamespace(labels=labels, weights=weights))
    assert found.tasks["click"] == plan.tasks["click"]
    assert found.tasks["value"].loss_options == {"thresholds": (1.0, 5.0, 7.0)}
    assert with_label_options(found, SimpleNamespace(labels=labels, weights=weights)) == found


def test_a_training_finds_the_same_thresholds_when_it_goes_on(problem: SimpleNamespace, tmp_path: Path) -> None:
    """Stopped after a round, and resumed; the model that is exported is another one, in float32."""
    plan, data = plan_of(problem, steps=6), input_pipeline.read_split(problem.train)
    layout, evaluation = FeatureLayout.load(problem.transform_graph), input_pipeline.read_split(problem.eval)

    class Stopped(TrainingCheckpoint):
        def save(self, model: Any, progress: Any) -> None:
            super().save(model, progress)
            raise KeyboardInterrupt

    with contextlib.suppress(KeyboardInterrupt):
        trainer.train(plan, layout, data, evaluation, Stopped(tmp_path / "kept"), tmp_path / "run")
    trained = trainer.train(plan, layout, data, evaluation, TrainingCheckpoint(tmp_path / "kept"), tmp_path / "run")
    observed = data.weights[:, 1] > 0
    grid = adaptive_grid(data.labels[observed, 1], data.weights[observed, 1], 6, 3.0)
    assert trained.model.loss_options == {"click": {}, "value": {"thresholds": grid}}
    assert trained.model.get_config()["loss_options"]["value"] == {"thresholds": grid}
    assert trained.rounds[-1]["epoch"] == 2
