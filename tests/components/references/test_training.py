from __future__ import annotations

import pytest

from components.references.plan import ReferencesPlan
from components.references.training import LINEAR_RATE, Network, reference_plan
from models.recipe.recipe import Recipe


def test_the_linear_model_learns_faster_and_the_twins_as_the_model(recipe: Recipe) -> None:
    document = recipe.model_dump(mode="json", exclude_unset=True)
    document["training"] |= {"learning_rate": 0.002, "embedding_learning_rate": 0.01}
    plan = ReferencesPlan.from_recipe(Recipe.model_validate(document))
    network = Network(dim=6, outputs=(1, 1), backbone=0, architecture=400)
    linear, twins = (reference_plan(plan, name, network) for name in ("linear", "single_task"))
    assert (linear.architecture, linear.backbone) == ("linear", "none")
    assert linear.training.learning_rate == pytest.approx(0.002 * LINEAR_RATE)
    assert linear.training.embedding_learning_rate == pytest.approx(0.01 * LINEAR_RATE)
    assert twins.architecture == "single_task" and twins.training == plan.model.training
