"""The component References: trains simple models beside the ranker, for comparison."""

from __future__ import annotations

from typing import Any, ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.references.executor import Executor


class ReferencesSpec(ComponentSpec):
    """Inputs, outputs and parameters of `References`."""

    PARAMETERS: ClassVar[dict[str, Any]] = {
        "plan": ExecutionParameter(type=str),
        "code": ExecutionParameter(type=str),
        "checkpoints": ExecutionParameter(type=str, optional=True),
    }
    INPUTS: ClassVar[dict[str, Any]] = {
        "transformed_examples": ChannelParameter(type=standard_artifacts.Examples),
        "transform_graph": ChannelParameter(type=standard_artifacts.TransformGraph),
    }
    OUTPUTS: ClassVar[dict[str, Any]] = {"references": ChannelParameter(type=standard_artifacts.InferenceResult)}


class References(base_component.BaseComponent):
    """Trains a linear model and the single-task twins, and predicts the eval split.

    Args:
        transformed_examples: transformed `Examples` with the splits train, validate and eval.
        transform_graph: `TransformGraph` with `layout.json`.
        plan: JSON of `ReferencesPlan`.
        code: version of the stage's source, used only by TFX's cache.
        checkpoints: folder of the training checkpoints that survives a lost pod, if the outputs do not; "" otherwise.

    Outputs:
        references: `InferenceResult` with `references.json` and `NAME/predictions.parquet` for each reference.
    """

    SPEC_CLASS = ReferencesSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        transformed_examples: types.BaseChannel,
        transform_graph: types.BaseChannel,
        plan: str,
        code: str,
        checkpoints: str = "",
    ) -> None:
        spec = ReferencesSpec(
            transformed_examples=transformed_examples,
            transform_graph=transform_graph,
            plan=plan,
            code=code,
            checkpoints=checkpoints or None,
            references=types.Channel(type=standard_artifacts.InferenceResult),
        )
        super().__init__(spec=spec)
