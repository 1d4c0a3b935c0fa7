"""The component Night, the first step of a recipe with `logs.span` on Kubeflow: tells all others the day, and what they go on from.

On one machine, both are known when the pipeline is assembled. A compiled file runs on many days, so its plans are made when a run starts.
"""

from __future__ import annotations

import datetime
import logging
from pathlib import Path
from typing import Any, ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.types import artifact_utils, standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.event_logs.spans import newest_day
from components.push.nights import in_words, night_of, read_records
from models.recipe.recipe import Recipe
from models.recipe.run_day import day_of_run
from models.recipe.spans import HOURS, LATEST
from pipeline.kubeflow.night_plans import on_day, write_plans

logger = logging.getLogger(__name__)


class NightSpec(ComponentSpec):
    """Interface of `Night`."""

    PARAMETERS: ClassVar[dict[str, Any]] = {
        name: ExecutionParameter(type=str) for name in ("recipe", "day", "scheduled", "served", "states")
    }
    INPUTS: ClassVar[dict[str, Any]] = {}
    OUTPUTS: ClassVar[dict[str, Any]] = {"night": ChannelParameter(type=standard_artifacts.HyperParameters)}


class Executor(base_executor.BaseExecutor):
    """Chooses the day, finds the ancestor, and makes the plans of the stages."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes plans.json (`pipeline.kubeflow.night_plans`).

        Raises:
            InputError: the day cannot be told, or no day is complete; a record of a night cannot be read.
        """
        recipe = Recipe.model_validate_json(exec_properties["recipe"])
        if recipe.logs is None or recipe.logs.span is None:
            raise ValueError("expected a recipe with `logs.span`")
        day = day_of_run(exec_properties["day"], exec_properties["scheduled"], HOURS[recipe.logs.span])
        if day == LATEST:
            day = newest_day(recipe, datetime.datetime.now(datetime.UTC))
        recipe, states = on_day(recipe, day), Path(exec_properties["states"])
        night = night_of(recipe, Path(exec_properties["served"]), states)
        logger.info("Night: %s", day if night is None else in_words(night, read_records(states)))
        write_plans(Path(artifact_utils.get_single_instance(output_dict["night"]).uri), recipe, night)


class Night(base_component.BaseComponent):
    """The day of the run and the plans of the stages on this day.

    Args:
        recipe: JSON of the recipe.
        day: see `models.recipe.run_day`.
        scheduled: the moment for which the run is scheduled.
        served: folder of the versions of the recipe's model.
        states: folder of its nights.

    Outputs:
        night: `HyperParameters` with plans.json, the values of the other stages' parameters.
    """

    SPEC_CLASS = NightSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(self, recipe: str, day: str, scheduled: str, served: str, states: str) -> None:
        night = types.Channel(type=standard_artifacts.HyperParameters)
        super().__init__(
            spec=NightSpec(recipe=recipe, day=day, scheduled=scheduled, served=served, states=states, night=night)
        )
