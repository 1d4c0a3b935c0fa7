"""The component Features: from examples to the TransformGraph and to transformed examples for training."""

from __future__ import annotations

from typing import Any, ClassVar

from tfx import types
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.features.executor import Executor


class FeaturesSpec(ComponentSpec):
    """Inputs, outputs and parameters of `Features`."""

    PARAMETERS: ClassVar[dict[str, Any]] = {"plan": ExecutionParameter(type=str), "code": ExecutionParameter(type=str)}
    INPUTS: ClassVar[dict[str, Any]] = {"examples": ChannelParameter(type=standard_artifacts.Examples)}
    OUTPUTS: ClassVar[dict[str, Any]] = {
        "transform_graph": ChannelParameter(type=standard_artifacts.TransformGraph),
        "transformed_examples": ChannelParameter(type=standard_artifacts.Examples),
    }


class Features(base_beam_component.BaseBeamComponent):
    """Analyses the train split and transforms all splits.

    Args:
        examples: `Examples` with a Parquet payload, every column a list; splits "train" and any others.
        plan: JSON of `FeaturesPlan`.
        code: version of the stage's source, used only by TFX's cache.

    Outputs:
        transform_graph: `TransformGraph`, as the stock Transform writes it, with `layout.json` beside it; with `plan.ids`, also
            `ids.parquet` (`models.features.ids`) and `ids.json`, what came and went.
        transformed_examples: `Examples` in Arrow IPC files, one for each raw file, the same rows in the same order.
    """

    SPEC_CLASS = FeaturesSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    def __init__(self, examples: types.BaseChannel, plan: str, code: str) -> None:
        spec = FeaturesSpec(
            examples=examples,
            plan=plan,
            code=code,
            transform_graph=types.Channel(type=standard_artifacts.TransformGraph),
            transformed_examples=types.Channel(type=standard_artifacts.Examples),
        )
        super().__init__(spec=spec)
