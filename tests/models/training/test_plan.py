"""The trainer's part of the recipe."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from models.recipe.errors import InputError
from models.recipe.recipe import Recipe
from models.training.plan import TrainerPlan

ROOT = Path(__file__).parents[3]

RECIPE: dict[str, Any] = {
    "name": "shop",
    "examples": {"path": "x.parquet"},
    "features": {
        "device": {"kind": "categorical", "side": "context"},
        "tags": {"kind": "multivalued", "column": "words", "separator": "|", "side": "item"},
        "item": {"kind": "categorical", "type": "integer", "side": "item"},
        "age": {"kind": "numeric", "side": "user"},
        "age_group": {"kind": "bucketised", "column": "age", "buckets": 4},
        "age_value": {"kind": "categorical", "type": "integer", "column": "age"},
    },
    "tasks": {
        "click": {"kind": "binary", "label": {"column": "click"}},
        "value": {"kind": "regression", "label": {"column": "value"}, "loss": "huber", "weight": 0.5},
    },
    "model": {
        "architecture": "mmoe",
        "options": {"mmoe": {"experts": 3}, "ple": {"shared_experts": 2}},
        "balancer": "pcgrad",
        "balancer_options": {"uncertainty": {}},
        "regularizers": {"l2": {"strength": 0.1}},
    },
    "training": {"epochs": 2},
    "serving": {"probe_requests": 7},
}


def plan(**changes: Any) -> TrainerPlan:
    return TrainerPlan.from_recipe(Recipe.model_validate({**RECIPE, **changes}))


def test_what_is_served() -> None:
    made = plan()
    assert made.user_features == ("age", "age_group", "age_value"), "what reads the user's column is the user's"
    assert made.serving is not None
    assert (made.serving.score, made.serving.weights, made.serving.tunable) == ("click", {}, {})
    weighted = {"score": "click + taste * value", "weights": {"taste": 2}}
    assert plan(serving=weighted).serving.tunable == {}
    assert plan(serving={**weighted, "tunable_weights": True}).serving.tunable == {"taste": 2.0}


def test_served_values_have_the_type_of_their_column() -> None:
    features = {
        **RECIPE["features"],
        "device": {"kind": "categorical", "served_as": 7.0},
        "place": {"kind": "categorical", "type": "integer", "served_as": 1.0},
        "place_number": {"kind": "numeric", "column": "place", "served_as": 1},
        "height": {"kind": "numeric", "served_as": 2},
    }
    made = plan(features=features)
    assert plan().served == {} and plan().served_features == ()
    assert made.served_features == ("device", "place", "place_number", "height")
    for one in (made, TrainerPlan.model_validate_json(made.model_dump_json())):
        assert one.served == {"device": "7", "place": 1, "height": 2.0}
        assert {name: type(value) for name, value in one.served.items()} == {
            "device": str,
            "place": int,
            "height": float,
        }


def test_what_the_trainer_needs() -> None:
    made = plan()
    alone = {"after": None, "conditional": False, "served": True, "adversarial": False, "descriptor": ()}
    alone |= {"loss_options": {}, "negative_rate": 1.0}
    alone |= {"objective": None, "objective_options": {}, "funnel": ()}
    assert made.model_dump(include={"tasks", "architecture", "options", "balancer", "balancer_options"}) == {
        "tasks": {
            "click": {"kind": "binary", "loss": "binary_crossentropy", "weight": 1.0, **alone},
            "value": {"kind": "regression", "loss": "huber", "weight": 0.5, **alone},
        },
        "architecture": "mmoe",
        "options": {"experts": 3},
        "balancer": "pcgrad",
        "balancer_options": {},
    }
    assert made.regularizers == {"l2": {"strength": 0.1}}
    assert made.training.epochs == 2 and made.probe_requests == 7
    assert {column: tuple(about.model_dump().values()) for column, about in made.inputs.items()} == {
        "device": ("bytes", False, "context", None, None),
        "words": ("bytes", True, "item", "|", None),
        "item": ("int", False, "item", None, None),
        "age": ("int", False, "user", None, None),
    }


def test_the_teacher() -> None:
    """Its options are those of the model, unless the section has its own."""
    value = {**RECIPE["tasks"]["value"], "loss": "squared_error"}
    tasks = {**RECIPE["tasks"], "value": value, "later": {**value, "role": "auxiliary"}}
    model = {**RECIPE["model"], "balancer_options": {"gradnorm": {"alpha": "2"}}}
    distill = {"teacher": "ple", "share": 0.3}
    made = plan(tasks=tasks, model=model, training={"distill": {**distill, "balancer": "gradnorm"}})
    made = TrainerPlan.model_validate_json(made.model_dump_json())
    assert (made.distill.tasks, made.distill.share, made.distill.unobserved) == (("click", "value"), 0.3, False)
    teacher = made.distill.teacher
    assert (teacher.architecture, teacher.options) == ("ple", {"shared_experts": 2})
    assert (teacher.balancer, teacher.balancer_options) == ("gradnorm", {"alpha": 2.0})
    changed = {"architecture", "options", "balancer", "balancer_options", "distill"}
    assert teacher.model_dump(exclude=changed) == made.model_dump(exclude=changed)
    own = plan(training={"distill": {**distill, "options": {"ple": {"shared_experts": 5}}}})
    assert own.distill.teacher.options == {"shared_experts": 5} and own.distill.teacher.balancer == "pcgrad"
    assert own.distill.tasks == ("click",), "the loss of the other is not linear in the label"
    assert plan().distill is None and own.training.distill is None and teacher.distill is None


def test_the_descriptors_of_the_tasks() -> None:
    tasks = {name: {**task, "descriptor": [0.2, place]} for place, (name, task) in enumerate(RECIPE["tasks"].items())}
    made = TrainerPlan.model_validate_json(plan(tasks=tasks).model_dump_json())
    assert [task.descriptor for task in made.tasks.values()] == [(0.2, 0.0), (0.2, 1.0)]


def test_options_are_of_the_types_that_the_methods_want() -> None:
    options = {"mmoe": {"experts": "8", "units": [8.0, "4"], "dropout": "1e-1"}}
    made = plan(model={"options": options, "regularizers": {"l2": {"strength": "1e-6"}}})
    assert made.options == {"experts": 8, "units": (8, 4), "dropout": 0.1}
    assert isinstance(made.options["experts"], int) and made.regularizers == {"l2": {"strength": 1e-6}}


def test_options_of_the_loss_that_a_task_has() -> None:
    value = {**RECIPE["tasks"]["value"], "loss": "quantile"}
    value["loss_options"] = {"quantile": {"quantile": "0.9"}, "tweedie": {"power": 1.2}}
    recipe = Recipe.model_validate({**RECIPE, "tasks": {**RECIPE["tasks"], "value": value}})
    tasks = TrainerPlan.from_recipe(recipe).tasks
    assert (tasks["value"].loss_options, tasks["click"].loss_options) == ({"quantile": 0.9}, {})


def test_a_balancer_from_outside() -> None:
    """By its dotted path, its options beside it; a path is not imported, only read."""
    path = "models.balancing.pcgrad.PCGrad"
    assert plan(model={"balancer": path, "balancer_options": {path: {}}}).balancer == path
    with pytest.raises(InputError, match="'nowhere.at.All' is not the path of a class that can be imported"):
        plan(model={"balancer": "nowhere.at.All"})
    with pytest.raises(InputError, match="unknown option 'sharp'"):
        plan(model={"balancer": path, "balancer_options": {path: {"sharp": 1}}})


def test_it_travels_as_json() -> None:
    assert TrainerPlan.model_validate_json(plan().model_dump_json()) == plan()
    assert list(TrainerPlan.model_validate_json(plan().model_dump_json()).tasks) == ["click", "value"]


@pytest.mark.parametrize(
    "changes",
    [
        {
            "tasks": {
                **RECIPE["tasks"],
                "click": {**RECIPE["tasks"]["click"], "gates": [{"metric": "auc", "at_least": 0.9}]},
            }
        },
        {"model": {**RECIPE["model"], "options": {"mmoe": {"experts": 3}, "ple": {"shared_experts": 9}}}},
        {"evaluation": {"slices": [["device"]]}},
        {"serving": {"probe_requests": 7, "tolerance": 0.1, "model_name": "other"}},
        {"description": "another"},
    ],
)
def test_what_does_not_concern_the_training_does_not_change_the_plan(changes: dict[str, Any]) -> None:
    assert plan(**changes).model_dump_json() == plan().model_dump_json()


def test_importing_it_loads_neither_tensorflow_nor_tfx() -> None:
    script = "import sys, models.training.plan; print({'tensorflow', 'keras', 'tfx', 'apache_beam'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_funnel() -> None:
    tasks = {
        "click": {"kind": "binary", "label": {"column": "click"}},
        "cart": {"kind": "binary", "label": {"column": "cart"}, "after": "click"},
        "order": {"kind": "binary", "label": {"column": "order"}, "conditioned_on": "cart"},
    }
    recipe = {"name": "r", "examples": {"path": "x"}, "features": {"f": {"kind": "numeric"}}, "tasks": tasks}
    made = TrainerPlan.from_recipe(Recipe.model_validate(recipe))
    assert {name: (task.after, task.conditional) for name, task in made.tasks.items()} == {
        "click": (None, False),
        "cart": ("click", False),
        "order": ("cart", True),
    }
