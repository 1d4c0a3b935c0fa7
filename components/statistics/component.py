"""The component Statistics: computes TFDV statistics of every split."""

from __future__ import annotations

from typing import Any, ClassVar

from tfx import types
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.statistics.executor import Executor


class StatisticsSpec(ComponentSpec):
    """Inputs, outputs and parameters of `Statistics`."""

    PARAMETERS: ClassVar[dict[str, Any]] = {"plan": ExecutionParameter(type=str), "code": ExecutionParameter(type=str)}
    INPUTS: ClassVar[dict[str, Any]] = {"examples": ChannelParameter(type=standard_artifacts.Examples)}
    OUTPUTS: ClassVar[dict[str, Any]] = {"statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics)}


class Statistics(base_beam_component.BaseBeamComponent):
    """Describes the examples split by split.

    Args:
        examples: `Examples` with a Parquet payload, every column a list of one of tf.Example's types: texts, whole
            numbers, float32.
        plan: JSON of `StatisticsPlan`.
        code: version of the stage's source, used only by TFX's cache.

    Outputs:
        statistics: `ExampleStatistics`, `Split-X/FeatureStats.pb` as the stock StatisticsGen writes them; beside it
            `Split-X/IntegerCategories.pb` with the value counts of the integer id columns, if there are any.
            Every row counts. All fields are exact up to the sizes in `frequencies.py` and `columnar/cells.py`. Larger columns
            have a custom statistic that bounds the error, and are listed in the JSON of the string property `approximate`.
    """

    SPEC_CLASS = StatisticsSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    def __init__(self, examples: types.BaseChannel, plan: str, code: str) -> None:
        statistics = types.Channel(type=standard_artifacts.ExampleStatistics)
        super().__init__(spec=StatisticsSpec(examples=examples, plan=plan, code=code, statistics=statistics))
