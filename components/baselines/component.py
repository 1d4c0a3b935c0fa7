"""The components BaselineModel and BaselineStatistics, which replace a Resolver if there is no metadata store."""

from __future__ import annotations

from typing import Any, ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.baselines.executor import BaselineModelExecutor, BaselineStatisticsExecutor


class BaselineModelSpec(ComponentSpec):
    """Interface of `BaselineModel`."""

    PARAMETERS: ClassVar[dict[str, Any]] = {"served": ExecutionParameter(type=str)}
    INPUTS: ClassVar[dict[str, Any]] = {"candidate": ChannelParameter(type=standard_artifacts.Model)}
    OUTPUTS: ClassVar[dict[str, Any]] = {"baseline_model": ChannelParameter(type=standard_artifacts.Model)}


class BaselineModel(base_component.BaseComponent):
    """The newest pushed model older than the candidate.

    Args:
        candidate: `Model` of this run.
        served: folder of the pushed versions.

    Outputs:
        baseline_model: `Model` with a copy of it, int property `found` 1; or with `found` 0 and baseline.json alone.
    """

    SPEC_CLASS = BaselineModelSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(BaselineModelExecutor)

    def __init__(self, candidate: types.BaseChannel, served: str) -> None:
        output = types.Channel(type=standard_artifacts.Model)
        super().__init__(spec=BaselineModelSpec(candidate=candidate, served=served, baseline_model=output))


class BaselineStatisticsSpec(ComponentSpec):
    """Interface of `BaselineStatistics`."""

    PARAMETERS: ClassVar[dict[str, Any]] = {
        "kept": ExecutionParameter(type=str),
        "every": ExecutionParameter(type=int, optional=True),
    }
    INPUTS: ClassVar[dict[str, Any]] = {"candidate": ChannelParameter(type=standard_artifacts.ExampleStatistics)}
    OUTPUTS: ClassVar[dict[str, Any]] = {
        "baseline_statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics)
    }


class BaselineStatistics(base_component.BaseComponent):
    """The statistics of the last good run, which `Validation` kept.

    Args:
        candidate: `ExampleStatistics` of this run: the stage runs after them and before their own validation.
        kept: folder in which `Validation` keeps them.
        every: see `components.baselines.kept_statistics.newest`.

    Outputs:
        baseline_statistics: `ExampleStatistics` with a copy of them, int property `found` 1; or with `found` 0 and
            baseline.json alone.
    """

    SPEC_CLASS = BaselineStatisticsSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(BaselineStatisticsExecutor)

    def __init__(self, candidate: types.BaseChannel, kept: str, every: int = 0) -> None:
        output = types.Channel(type=standard_artifacts.ExampleStatistics)
        spec = BaselineStatisticsSpec(candidate=candidate, kept=kept, every=every or None, baseline_statistics=output)
        super().__init__(spec=spec)
