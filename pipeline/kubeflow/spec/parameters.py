"""Runtime parameters, which change from run to run without recompilation.

Kubeflow passes runtime parameters to a stage with its execution properties. The entrypoint merges them into the plan, with the
same checks as for the recipe's values. Imports neither TensorFlow nor TFX.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import Any, Literal

import pydantic

from components.event_logs.plan import EventLogsPlan, as_of_micros
from components.references.plan import ReferencesPlan
from models.recipe import findings
from models.recipe.errors import InputError
from models.recipe.model import Training
from models.recipe.recipe import Recipe
from models.recipe.run_day import SCHEDULED
from models.recipe.schedule import LARGEST_SEED
from models.recipe.spans import LATEST
from models.recipe.units import parse_moment
from models.retrieval.plan import RetrievalPlan
from models.training.plan import TrainerPlan

Properties = dict[str, Any]
Merge = Callable[[Properties, Any], Properties]


@dataclasses.dataclass(frozen=True)
class RuntimeParameter:
    """A parameter of a run.

    Attributes:
        stages: {stage: function that puts a value into the stage's execution properties}. A recipe's pipeline may lack some
            of these stages.
        type: one of Kubeflow's parameter types.
        default: value from the recipe; None if the recipe does not use the parameter.
        description: text for the form in Kubeflow's pages.
        unset: value with which the recipe's value applies; None if there is no such value.
    """

    stages: Mapping[str, Merge]
    type: Literal["STRING", "NUMBER_INTEGER", "BOOLEAN"]
    default: Callable[[Recipe], str | int | bool | None]
    description: str
    unset: int | None = None


def _as_of(recipe: Recipe) -> str | None:
    return recipe.logs.model_dump(mode="json")["as_of"] if recipe.logs and recipe.logs.span is None else None


def _day(recipe: Recipe) -> str | None:
    if recipe.logs is None or recipe.logs.span is None:
        return None
    return SCHEDULED if recipe.logs.day == LATEST else recipe.logs.day


def _merge_day(properties: Properties, value: Any) -> Properties:
    """The stage Night checks it."""
    return {**properties, "day": value}


def _merge_as_of(properties: Properties, value: Any) -> Properties:
    try:
        as_of = as_of_micros("latest" if value == "latest" else parse_moment(value))
    except ValueError as error:
        raise InputError(f"parameter as_of: {error}, or latest; received {value!r}.") from None
    plan = EventLogsPlan.model_validate_json(properties["plan"])
    return {**properties, "plan": plan.model_copy(update={"as_of": as_of}).model_dump_json()}


def _changed(training: Training, key: str, value: Any) -> Training:
    """The recipe's section `training` with a new value for one key."""
    try:
        changed = Training.model_validate({**training.model_dump(), key: value})
    except pydantic.ValidationError as error:
        raise InputError(f"parameter {key}: {findings.in_words(error.errors()[0])}; received {value!r}.") from None
    if changed.seed > LARGEST_SEED:
        raise InputError(f"parameter seed: expected at most {LARGEST_SEED}; received {value!r}.")
    return changed


def _in_custom_config(change: Callable[[str, Any], str]) -> Merge:
    """Applies `change` to the plan (JSON) in the `custom_config` of a Trainer."""

    def merge(properties: Properties, value: Any) -> Properties:
        config = json.loads(properties["custom_config"])
        return {**properties, "custom_config": json.dumps({**config, "plan": change(config["plan"], value)})}

    return merge


def _merge_training(key: str) -> Merge:
    """Sets `training.KEY` in the ranker's plan."""

    def change(text: str, value: Any) -> str:
        plan = TrainerPlan.model_validate_json(text)
        return plan.model_copy(update={"training": _changed(plan.training, key, value)}).model_dump_json()

    return _in_custom_config(change)


def _merge_references(key: str) -> Merge:
    """Sets `training.KEY` in the references' plan."""

    def merge(properties: Properties, value: Any) -> Properties:
        plan = ReferencesPlan.model_validate_json(properties["plan"])
        model = plan.model.model_copy(update={"training": _changed(plan.model.training, key, value)})
        return {**properties, "plan": plan.model_copy(update={"model": model}).model_dump_json()}

    return merge


def _retrieval_seed(text: str, value: Any) -> str:
    plan = RetrievalPlan.model_validate_json(text)
    return plan.model_copy(update={"seed": _changed(Training(), "seed", value).seed}).model_dump_json()


def _merge_push(properties: Properties, value: Any) -> Properties:
    if not isinstance(value, bool):
        raise InputError(f"parameter push: expected true or false; received {value!r}.")
    return {**properties, "push": value}


def _merge_recorded(properties: Properties, value: Any) -> Properties:
    """A night that pushes nothing leaves no record."""
    merged = _merge_push(properties, value)
    return {key: given for key, given in merged.items() if key != "push" and (value or key != "night")}


def _epochs(recipe: Recipe) -> int:
    """0 with `training.start: warm`: the number of passes depends on how the night starts."""
    return 0 if recipe.training.start == "warm" else recipe.training.epochs or 0


PARAMETERS: dict[str, RuntimeParameter] = {
    "day": RuntimeParameter(
        {"Night": _merge_day},
        "STRING",
        _day,
        f"The newest day to read, such as 2026-01-15, or latest. {SCHEDULED}: the newest day that has ended at the scheduled moment.",
    ),
    "as_of": RuntimeParameter(
        {"EventLogs": _merge_as_of},
        "STRING",
        _as_of,
        "The moment up to which the logs are complete, such as 2026-01-15T00:00:00Z, or latest.",
    ),
    "epochs": RuntimeParameter(
        {"Trainer": _merge_training("epochs"), "References": _merge_references("epochs")},
        "NUMBER_INTEGER",
        _epochs,
        "Maximum number of passes over the train split. 0: the recipe's value.",
        unset=0,
    ),
    "seed": RuntimeParameter(
        {
            "Trainer": _merge_training("seed"),
            "References": _merge_references("seed"),
            "RetrievalTrainer": _in_custom_config(_retrieval_seed),
        },
        "NUMBER_INTEGER",
        lambda recipe: recipe.training.seed,
        "Random seed of the training.",
    ),
    "push": RuntimeParameter(
        {"Pusher": _merge_push, "RetrievalPusher": _merge_push, "Validation": _merge_recorded},
        "BOOLEAN",
        lambda recipe: True,
        "Whether to push a blessed model.",
    ),
}


def parameters_of(recipe: Recipe) -> dict[str, tuple[RuntimeParameter, str | int | bool]]:
    """The parameters of the recipe's pipeline: {name: (parameter, its default)}."""
    found = {name: (parameter, parameter.default(recipe)) for name, parameter in PARAMETERS.items()}
    return {name: (parameter, default) for name, (parameter, default) in found.items() if default is not None}


def merge_parameters(stage: str, properties: Mapping[str, Any]) -> Properties:
    """Merges a stage's runtime parameters into its execution properties.

    Args:
        stage: name of the stage.
        properties: execution properties and runtime parameters of the stage.

    Raises:
        InputError: a value is invalid, as it would be in the recipe.
    """
    merged = dict(properties)
    for name, parameter in PARAMETERS.items():
        if stage in parameter.stages and name in merged:
            value = merged.pop(name)
            if parameter.unset is None or value != parameter.unset:
                merged = parameter.stages[stage](merged, value)
    return merged
