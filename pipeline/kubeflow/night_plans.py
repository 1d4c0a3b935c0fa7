"""The plans of the stages that depend on the day of a run: `Night` writes them, and the entrypoint of each stage takes its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.evaluation.plan import EvaluationPlan
from components.event_logs.plan import EventLogsPlan
from components.features.plan import FeaturesPlan
from components.push.nights import NightPlan, eval_days
from models.recipe.night import Night
from models.recipe.recipe import Recipe
from models.training.plan import TrainerPlan

FILE = "plans.json"
CUSTOM_CONFIG = "custom_config"
"""The parameter of the stock Trainer that holds the plan."""

STAND_IN = "2000-01-01"
"""The day for which a file is compiled. Its plans are replaced in each run; no logs are that old."""


def on_day(recipe: Recipe, day: str) -> Recipe:
    """The recipe of a run on a day.

    Raises:
        ValueError: the recipe has no logs.
    """
    if recipe.logs is None:
        raise ValueError("expected a recipe with logs")
    return recipe.model_copy(update={"logs": recipe.logs.model_copy(update={"day": day})})


def on_stand_in(recipe: Recipe) -> Recipe:
    """The recipe on the day for which a file is compiled; unchanged without `logs.span`."""
    if recipe.logs is None or recipe.logs.span is None:
        return recipe
    return on_day(recipe, STAND_IN if recipe.logs.span == "1d" else f"{STAND_IN}T00")


def plans_of(recipe: Recipe, night: Night | None) -> dict[str, dict[str, str]]:
    """{stage: {parameter: its value}} of a recipe on its day. Of the Trainer's `custom_config`, the plan alone."""
    plans = {
        "EventLogs": {"plan": EventLogsPlan.from_recipe(recipe, night).model_dump_json()},
        "Features": {"plan": FeaturesPlan.from_recipe(recipe, night).model_dump_json()},
        "Trainer": {CUSTOM_CONFIG: TrainerPlan.from_recipe(recipe, night).model_dump_json()},
        "Evaluator": {"plan": EvaluationPlan.from_recipe(recipe).model_dump_json()},
    }
    if night is not None:
        told = NightPlan(night=night, eval_days=eval_days(recipe)).model_dump_json()
        plans |= {"Validation": {"night": told}, "Pusher": {"night": told}}
    return plans


def write_plans(folder: Path, recipe: Recipe, night: Night | None) -> None:
    """Writes the plans of a recipe on its day."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(json.dumps(plans_of(recipe, night), indent=1) + "\n", encoding="utf-8")


def of_night(stage: str, properties: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The execution properties of a stage with the plan of the run's day.

    Args:
        stage: name of the stage.
        properties: as compiled, with the plan of `STAND_IN`.
        folder: of the artifact `night`.
    """
    changed = dict(properties)
    for name, value in json.loads((folder / FILE).read_text(encoding="utf-8")).get(stage, {}).items():
        changed[name] = json.dumps({**json.loads(properties[name]), "plan": value}) if name == CUSTOM_CONFIG else value
    return changed
