"""What an operator can change from run to run without compiling again, and how it reaches its stage.

Kubeflow hands a stage its runtime parameters beside its execution properties; the entrypoint merges them into the plan,
with the checks that the recipe's own values go through. Without TensorFlow and TFX.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import Any, Literal

import pydantic

from components.event_logs.plan import EventLogsPlan, as_of_micros
from models.errors import InputError
from models.recipe import Recipe, Training
from models.recipe_schedule import LARGEST_SEED
from models.trainer_plan import TrainerPlan
from models.units import parse_moment

Properties = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class RuntimeParameter:
    """One parameter of a run.

    Attributes:
        stage: the stage that it is for.
        type: of Kubeflow's parameter types.
        default: from the recipe; None where the recipe has no use for it.
        merge: puts a value into the stage's execution properties.
        description: for the form in Kubeflow's pages.
    """

    stage: str
    type: Literal["STRING", "NUMBER_INTEGER", "BOOLEAN"]
    default: Callable[[Recipe], str | int | bool | None]
    merge: Callable[[Properties, Any], Properties]
    description: str


def _as_of(recipe: Recipe) -> str | None:
    return recipe.logs.model_dump(mode="json")["as_of"] if recipe.logs else None


def _merge_as_of(properties: Properties, value: Any) -> Properties:
    try:
        as_of = as_of_micros("latest" if value == "latest" else parse_moment(value))
    except ValueError as error:
        raise InputError(f"parameter as_of: {error}, or latest; received {value!r}.") from None
    plan = EventLogsPlan.model_validate_json(properties["plan"])
    return {**properties, "plan": plan.model_copy(update={"as_of": as_of}).model_dump_json()}


def _merge_training(key: str) -> Callable[[Properties, Any], Properties]:
    """Into `training.KEY` of the plan that stands in the Trainer's `custom_config`."""

    def merge(properties: Properties, value: Any) -> Properties:
        config = json.loads(properties["custom_config"])
        plan = TrainerPlan.model_validate_json(config["plan"])
        try:
            training = Training.model_validate({**plan.training.model_dump(), key: value})
        except pydantic.ValidationError as error:
            raise InputError(f"parameter {key}: {error.errors()[0]['msg']}; received {value!r}.") from None
        if training.seed > LARGEST_SEED:
            raise InputError(f"parameter seed: expected at most {LARGEST_SEED}; received {value!r}.")
        changed = plan.model_copy(update={"training": training}).model_dump_json()
        return {**properties, "custom_config": json.dumps({**config, "plan": changed})}

    return merge


def _merge_push(properties: Properties, value: Any) -> Properties:
    if not isinstance(value, bool):
        raise InputError(f"parameter push: expected true or false; received {value!r}.")
    return {**properties, "push": value}


PARAMETERS: dict[str, RuntimeParameter] = {
    "as_of": RuntimeParameter(
        "EventLogs",
        "STRING",
        _as_of,
        _merge_as_of,
        "The moment up to which the logs are complete, such as 2026-01-15T00:00:00Z, or latest.",
    ),
    "epochs": RuntimeParameter(
        "Trainer",
        "NUMBER_INTEGER",
        lambda recipe: recipe.training.epochs,
        _merge_training("epochs"),
        "Most passes over the train split.",
    ),
    "seed": RuntimeParameter(
        "Trainer",
        "NUMBER_INTEGER",
        lambda recipe: recipe.training.seed,
        _merge_training("seed"),
        "Seed of the training.",
    ),
    "push": RuntimeParameter(
        "Pusher", "BOOLEAN", lambda recipe: True, _merge_push, "Whether a blessed model is pushed."
    ),
}


def parameters_of(recipe: Recipe) -> dict[str, tuple[RuntimeParameter, str | int | bool]]:
    """The parameters of the recipe's pipeline: {name: (parameter, its default)}."""
    found = {name: (parameter, parameter.default(recipe)) for name, parameter in PARAMETERS.items()}
    return {name: (parameter, default) for name, (parameter, default) in found.items() if default is not None}


def merge_parameters(stage: str, properties: Mapping[str, Any]) -> Properties:
    """The stage's execution properties with its runtime parameters merged into them.

    Args:
        stage: name of the stage.
        properties: of the stage, its runtime parameters among them.

    Raises:
        InputError: a value that the recipe would not take either.
    """
    merged = dict(properties)
    for name, parameter in PARAMETERS.items():
        if parameter.stage == stage and name in merged:
            value = merged.pop(name)
            merged = parameter.merge(merged, value)
    return merged
