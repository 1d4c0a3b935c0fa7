"""Runtime parameters: their defaults, and how each reaches its stage's plan."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from components.event_logs.plan import EventLogsPlan
from components.references.plan import ReferencesPlan
from models.recipe.checks.kubeflow import stages_of
from models.recipe.errors import InputError
from models.recipe.recipe import Recipe
from models.retrieval.plan import RetrievalPlan
from models.training.plan import TrainerPlan
from pipeline.kubeflow.spec.parameters import PARAMETERS, merge_parameters, parameters_of

RETRIEVAL = {"user": "user_id", "item": "item_id", "positives": {"click": 1.0}}
MAY_3_2025 = 1746230400_000_000  # microseconds since 1970, of 2025-05-03T00:00:00Z


@pytest.fixture
def logs(make_recipe: Callable[..., Recipe]) -> dict[str, str]:
    return {"plan": EventLogsPlan.from_recipe(make_recipe()).model_dump_json(), "code": "1"}


@pytest.fixture
def trainer(make_recipe: Callable[..., Recipe]) -> dict[str, str]:
    plan = TrainerPlan.from_recipe(make_recipe()).model_dump_json()
    return {"custom_config": json.dumps({"plan": plan, "code": "1", "checkpoints": "/b"}), "run_fn": "f"}


def test_the_defaults_are_the_recipe_s_own(make_recipe: Callable[..., Recipe]) -> None:
    recipe = make_recipe(training={"epochs": 9, "seed": 4})
    assert {name: default for name, (_, default) in parameters_of(recipe).items()} == {
        "as_of": "2026-01-15T00:00:00Z",
        "epochs": 9,
        "seed": 4,
        "push": True,
    }


def test_labelled_examples_have_no_as_of() -> None:
    labelled = {
        "name": "census",
        "examples": {"path": "a.parquet"},
        "features": {"age": {"kind": "numeric"}},
        "tasks": {"income": {"kind": "binary", "label": {"column": "income"}}},
    }
    assert set(parameters_of(Recipe.model_validate(labelled))) == {"epochs", "seed", "push"}


@pytest.mark.parametrize("training", [{"epochs": None}, {"epochs": 9}])
def test_0_epochs_are_the_recipe_s_own(make_recipe: Callable[..., Recipe], training: dict[str, int | None]) -> None:
    """A recipe may leave the passes to the log's size; a run of it may still set them."""
    recipe = make_recipe(training=training)
    assert parameters_of(recipe)["epochs"][1] == (training["epochs"] or 0)
    references = {"plan": ReferencesPlan.from_recipe(recipe).model_dump_json(), "code": "1"}
    plan = TrainerPlan.from_recipe(recipe).model_dump_json()
    trainer = {"custom_config": json.dumps({"plan": plan}), "run_fn": "f"}
    for stage, properties in (("Trainer", trainer), ("References", references)):
        assert merge_parameters(stage, {**properties, "epochs": 0}) == properties
    merged = merge_parameters("Trainer", {**trainer, "epochs": 2})
    assert TrainerPlan.model_validate_json(json.loads(merged["custom_config"])["plan"]).training.epochs == 2


def test_each_parameter_is_for_stages_that_there_are(make_recipe: Callable[..., Recipe]) -> None:
    stages = {stage for parameter in PARAMETERS.values() for stage in parameter.stages}
    assert stages <= {"Night", *stages_of(make_recipe(retrieval=RETRIEVAL))}
    # Each parameter of a recipe has one in its pipeline.
    recipe = make_recipe(retrieval=None)
    assert all(set(parameter.stages) & set(stages_of(recipe)) for parameter, _ in parameters_of(recipe).values())


@pytest.mark.parametrize(
    ("value", "expected"),
    [("2025-05-03T00:00:00Z", MAY_3_2025), ("2025-05-03T02:00:00+02:00", MAY_3_2025), ("latest", None)],
)
def test_as_of_reaches_the_plan(logs: dict[str, str], value: str, expected: int | None) -> None:
    merged = merge_parameters("EventLogs", {**logs, "as_of": value})
    before, after = (EventLogsPlan.model_validate_json(given["plan"]) for given in (logs, merged))
    assert after == before.model_copy(update={"as_of": expected}) and set(merged) == set(logs)


def test_the_default_changes_nothing(logs: dict[str, str], trainer: dict[str, str]) -> None:
    assert merge_parameters("EventLogs", {**logs, "as_of": "2026-01-15T00:00:00Z"}) == logs
    assert merge_parameters("Trainer", {**trainer, "seed": 1}) == trainer


def test_epochs_and_seed_reach_the_trainer_s_plan(trainer: dict[str, str]) -> None:
    merged = merge_parameters("Trainer", {**trainer, "epochs": 2, "seed": 77})
    before, after = (json.loads(given["custom_config"]) for given in (trainer, merged))
    plans = [TrainerPlan.model_validate_json(config.pop("plan")) for config in (before, after)]
    training = plans[0].training.model_copy(update={"epochs": 2, "seed": 77})
    assert before == after and plans[1] == plans[0].model_copy(update={"training": training})


def test_epochs_and_seed_reach_the_references_plan(make_recipe: Callable[..., Recipe]) -> None:
    plan = ReferencesPlan.from_recipe(make_recipe())
    given = {"plan": plan.model_dump_json(), "code": "1"}
    assert merge_parameters("References", {**given, "seed": 1}) == given
    merged = merge_parameters("References", {**given, "epochs": 2, "seed": 77})
    changed = ReferencesPlan.model_validate_json(merged["plan"])
    assert (changed.model.training.epochs, changed.model.training.seed) == (2, 77)
    assert changed.references == plan.references and merged["code"] == "1"


def test_the_seed_reaches_the_retrieval_trainer_s_plan_as_well(make_recipe: Callable[..., Recipe]) -> None:
    plan = RetrievalPlan.from_recipe(make_recipe(retrieval=RETRIEVAL))
    given = {"custom_config": json.dumps({"plan": plan.model_dump_json(), "code": "1"}), "run_fn": "f"}
    assert merge_parameters("RetrievalTrainer", {**given, "seed": 1}) == given
    merged = json.loads(merge_parameters("RetrievalTrainer", {**given, "seed": 77})["custom_config"])
    assert RetrievalPlan.model_validate_json(merged.pop("plan")) == plan.model_copy(update={"seed": 77})
    assert merged == {"code": "1"}
    for seed, words in ((-1, "parameter seed: expected at least 0"), (2**32, "expected at most 4294967295")):
        with pytest.raises(InputError, match=words):
            merge_parameters("RetrievalTrainer", {**given, "seed": seed})


def test_push_is_handed_on_to_both_of_a_pair() -> None:
    for stage in ("Pusher", "RetrievalPusher"):
        assert merge_parameters(stage, {"push": False, "custom_config": "null"})["push"] is False


def test_a_stage_takes_only_its_own_parameters() -> None:
    assert merge_parameters("Probe", {"epochs": 1, "plan": "{}"}) == {"epochs": 1, "plan": "{}"}


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("as_of", "yesterday", "parameter as_of: expected a moment with its offset from UTC"),
        ("as_of", "2025-05-03T00:00:00", "or latest; received '2025-05-03T00:00:00'"),
        ("epochs", -1, "parameter epochs: expected at least 1; received -1"),
        ("seed", -1, "parameter seed: expected at least 0"),
        ("seed", 2**32, "parameter seed: expected at most 4294967295"),
        ("push", "yes", "parameter push: expected true or false; received 'yes'"),
    ],
)
def test_a_value_that_the_recipe_would_not_take(
    name: str, value: object, words: str, logs: dict[str, str], trainer: dict[str, str]
) -> None:
    stage = next(iter(PARAMETERS[name].stages))
    properties = {"EventLogs": logs, "Trainer": trainer, "Pusher": {}}[stage]
    with pytest.raises(InputError) as error:
        merge_parameters(stage, {**properties, name: value})
    assert words in str(error.value)
