"""The component Validation: compares statistics with the schema and the last good run; writes anomalies or stops the run."""

from __future__ import annotations

from typing import Any, ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.validation.executor import Executor


class ValidationSpec(ComponentSpec):
    """Inputs, outputs and parameters of `Validation`."""

    PARAMETERS: ClassVar[dict[str, Any]] = {
        "plan": ExecutionParameter(type=str),
        "code": ExecutionParameter(type=str),
        "keep": ExecutionParameter(type=str),
        "night": ExecutionParameter(type=str, optional=True),
        "states": ExecutionParameter(type=str, optional=True),
    }
    INPUTS: ClassVar[dict[str, Any]] = {
        "statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics),
        "schema": ChannelParameter(type=standard_artifacts.Schema),
        "baseline_statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics, optional=True),
        "examples": ChannelParameter(type=standard_artifacts.Examples, optional=True),
    }
    OUTPUTS: ClassVar[dict[str, Any]] = {"anomalies": ChannelParameter(type=standard_artifacts.ExampleAnomalies)}


class Validation(base_component.BaseComponent):
    """Stops the run if the examples violate the schema or have drifted.

    The stock ExampleValidator writes the same anomalies, but never stops a run and does not check drift.

    Args:
        statistics: `ExampleStatistics` of this run's examples.
        schema: `Schema`, curated or inferred.
        plan: JSON of `ValidationPlan`.
        code: version of the stage's source, used only by TFX's cache.
        baseline_statistics: `ExampleStatistics` of the last good run (`baseline_statistics_resolver`), or None.
        keep: folder for statistics that passed, read by `BaselineStatistics`; "" if a metadata store keeps them.
        night: JSON of `NightPlan`, for a run that is recorded as a refused night if it stops; "" for any other run.
        states: folder of the nights.
        examples: `Examples` of the night, with what a model of them has learned from.

    Outputs:
        anomalies: `ExampleAnomalies`, as the stock ExampleValidator writes them (`Split-X/SchemaDiff.pb`, property `blessed`),
            with the int properties `passed` (1) and `statistics_id`. A run that stops has none.
    """

    SPEC_CLASS = ValidationSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        statistics: types.BaseChannel,
        schema: types.BaseChannel,
        plan: str,
        code: str,
        baseline_statistics: types.BaseChannel | None = None,
        keep: str = "",
        night: str = "",
        states: str = "",
        examples: types.BaseChannel | None = None,
    ) -> None:
        anomalies = types.Channel(type=standard_artifacts.ExampleAnomalies)
        spec = ValidationSpec(
            statistics=statistics,
            schema=schema,
            baseline_statistics=baseline_statistics,
            examples=examples,
            plan=plan,
            code=code,
            keep=keep,
            night=night or None,
            states=states or None,
            anomalies=anomalies,
        )
        super().__init__(spec=spec)
