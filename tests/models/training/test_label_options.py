from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from models.recipe.recipe import Recipe
from models.training.build import check_methods
from models.training.label_options import with_label_options
from models.training.plan import TrainerPlan


def test_a_loss_sees_the_observed_labels_of_its_task(problem: SimpleNamespace) -> None:
    tasks = problem.recipe["tasks"]
    value = {**tasks["value"], "loss": "cread", "loss_options": {"cread": {"steps": 2, "alpha": 0}}}
    plan = TrainerPlan.from_recipe(Recipe.model_validate({**problem.recipe, "tasks": {**tasks, "value": value}}))
    check_methods(plan)
    labels, weights = np.float32([[0, 1], [1, 5], [0, 7], [1, 1e6]]), np.float32([[1, 1], [1, 2], [1, 1], [1, 0]])
    found = with_label_options(plan, SimpleNamespace(labels=labels, weights=weights))
    assert found.tasks["click"] == plan.tasks["click"]
    assert found.tasks["value"].loss_options == {"thresholds": (1.0, 5.0, 7.0)}
    assert with_label_options(found, SimpleNamespace(labels=labels, weights=weights)) == found
