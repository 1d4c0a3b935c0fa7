from __future__ import annotations

from typing import Any

import pytest

from components.references.plan import ReferencesPlan
from components.references.training import Network, reference_plan
from models.recipe.recipe import Recipe


def planned(recipe: Recipe, **sections: Any) -> str:
    document = recipe.model_dump(mode="json", exclude_unset=True)
    for name, values in sections.items():
        document[name] = {**document.get(name, {}), **values}
    return ReferencesPlan.from_recipe(Recipe.model_validate(document)).model_dump_json()


def test_a_change_that_the_references_do_not_notice_keeps_the_plan(recipe: Recipe) -> None:
    same = planned(recipe)
    assert planned(recipe, serving={"probe_requests": 7, "score": "click * value"}) == same
    assert planned(recipe, model={"balancer": "uncertainty"}) == same
    assert planned(recipe, evaluation={"not_below_single_task": {}}) == same
    assert planned(recipe, training={"distill": {"teacher": "ple"}}) == same
    assert planned(recipe, training={"affinity_every": 10}) == same
    assert planned(recipe, training={"importance": True}) == same
    assert planned(recipe, training={"seed": 2}) != same
    assert planned(recipe, model={"architecture": "ple"}) != same


def test_the_twins_have_the_options_of_the_model(recipe: Recipe) -> None:
    options = ReferencesPlan.from_recipe(recipe).single_task_options
    assert options == {"units": (16,), "tower_units": (8,), "activation": "relu", "dropout": 0.1}


def test_own_options_come_first(recipe: Recipe) -> None:
    own = {"options": {"single_task": {"units": [5], "dropout": 0.2}}}
    plan = ReferencesPlan.model_validate_json(planned(recipe, model=own))
    assert plan.single_task_options == {"units": [5], "tower_units": [32], "activation": "relu", "dropout": 0.2}


def test_uneven_towers_of_the_model_leave_the_twins_even(recipe: Recipe) -> None:
    options = {"units": [16], "tower_units": [8], "towers": {"click": [], "value": [32, 4]}}
    uneven = {"architecture": "shared_bottom", "options": {"shared_bottom": options}}
    plan = ReferencesPlan.model_validate_json(planned(recipe, model=uneven))
    assert plan.single_task_options == {"units": [16], "tower_units": [8], "activation": "relu", "dropout": 0.0}


@pytest.mark.parametrize(
    ("architecture", "references"),
    [("mmoe", ("linear", "single_task")), ("single_task", ("linear",)), ("linear", ())],
)
def test_the_model_is_not_its_own_reference(recipe: Recipe, architecture: str, references: tuple[str, ...]) -> None:
    model = recipe.model.model_copy(update={"architecture": architecture})
    changed = recipe.model_copy(update={"model": model})
    assert changed.references == references
    assert ReferencesPlan.from_recipe(changed).references == references


def test_the_references_have_no_auxiliary_task(recipe: Recipe) -> None:
    value = recipe.tasks["value"].model_copy(update={"role": "auxiliary"})
    helped = recipe.model_copy(update={"tasks": {**recipe.tasks, "value": value}})
    plan = ReferencesPlan.from_recipe(helped)
    network = Network(dim=10, outputs=(1,), backbone=0, architecture=2000)
    for name in ("linear", "single_task"):
        assert set(reference_plan(plan, name, network).tasks) == {"click"}
