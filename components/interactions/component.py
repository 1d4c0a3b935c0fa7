"""The component Interactions: from raw and transformed examples to positives with histories, item tables and eval queries."""

from __future__ import annotations

from typing import Any, ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.interactions.executor import Executor


class InteractionsSpec(ComponentSpec):
    """Inputs, outputs and parameters of `Interactions`."""

    PARAMETERS: ClassVar[dict[str, Any]] = {"plan": ExecutionParameter(type=str), "code": ExecutionParameter(type=str)}
    INPUTS: ClassVar[dict[str, Any]] = {
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "transformed_examples": ChannelParameter(type=standard_artifacts.Examples),
        "transform_graph": ChannelParameter(type=standard_artifacts.TransformGraph),
    }
    OUTPUTS: ClassVar[dict[str, Any]] = {"interactions": ChannelParameter(type=standard_artifacts.Examples)}


class Interactions(base_component.BaseComponent):
    """Builds the training positives, item tables and eval queries of a retrieval model.

    Args:
        examples: `Examples` of the stage EventLogs, splits "train", "validate" and "eval". The retrieval model stops after a
            fixed number of epochs, so the first two are its train split.
        transformed_examples: `Examples` of the stage Features, of the same rows.
        transform_graph: `TransformGraph` of the stage Features.
        plan: JSON of `InteractionsPlan`.
        code: version of the stage's source, used only by TFX's cache.

    Outputs:
        interactions: `Examples` with five splits. `train` and `eval`: the positives, an Arrow file (`interactions.Gathered`).
            `items`: the item table of all examples, as of the moment up to which the logs are complete; `eval_items`: of
            the train split, as of its newest example. `eval_queries`: the users of the eval split, what was known of them and
            what they chose. These three are Parquet. The property `rows` counts the train split's positives.
    """

    SPEC_CLASS = InteractionsSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        transformed_examples: types.BaseChannel,
        transform_graph: types.BaseChannel,
        plan: str,
        code: str,
    ) -> None:
        spec = InteractionsSpec(
            examples=examples,
            transformed_examples=transformed_examples,
            transform_graph=transform_graph,
            plan=plan,
            code=code,
            interactions=types.Channel(type=standard_artifacts.Examples),
        )
        super().__init__(spec=spec)
