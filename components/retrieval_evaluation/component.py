"""The component RetrievalEvaluator: measures a two-tower model and simple methods on eval queries; writes a blessing."""

from __future__ import annotations

from typing import Any, ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.retrieval_evaluation.executor import Executor


class RetrievalEvaluatorSpec(ComponentSpec):
    """Inputs, outputs and parameters of `RetrievalEvaluator`."""

    PARAMETERS: ClassVar[dict[str, Any]] = {
        "plan": ExecutionParameter(type=str),
        "code": ExecutionParameter(type=str),
        "fingerprint": ExecutionParameter(type=str),
    }
    INPUTS: ClassVar[dict[str, Any]] = {
        "interactions": ChannelParameter(type=standard_artifacts.Examples),
        "model": ChannelParameter(type=standard_artifacts.Model),
        "baseline_model": ChannelParameter(type=standard_artifacts.Model, optional=True),
    }
    OUTPUTS: ClassVar[dict[str, Any]] = {
        "evaluation": ChannelParameter(type=standard_artifacts.ModelEvaluation),
        "blessing": ChannelParameter(type=standard_artifacts.ModelBlessing),
    }


class RetrievalEvaluator(base_component.BaseComponent):
    """Measures a retrieval model on users of the eval split and blesses it if every gate holds.

    Args:
        interactions: `Examples` of the stage Interactions: the splits `train`, `eval`, `eval_items` and `eval_queries`.
        model: `Model`, the candidate.
        plan: JSON of `RetrievalEvaluationPlan`.
        code: version of the stage's source, used only by TFX's cache.
        baseline_model: `Model` to compare with, the newest older blessed one, or None.
        fingerprint: fingerprint of the files of true values (`best_items_fingerprint`); "" if none were visible at assembly.

    Outputs:
        evaluation: `ModelEvaluation`, as retrieval.json (`results.RESULTS`).
        blessing: `ModelBlessing` with the properties of the stock Evaluator. A model that is not blessed is not an error.
    """

    SPEC_CLASS = RetrievalEvaluatorSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        interactions: types.BaseChannel,
        model: types.BaseChannel,
        plan: str,
        code: str,
        baseline_model: types.BaseChannel | None = None,
        fingerprint: str = "",
    ) -> None:
        spec = RetrievalEvaluatorSpec(
            interactions=interactions,
            model=model,
            baseline_model=baseline_model,
            plan=plan,
            code=code,
            fingerprint=fingerprint,
            evaluation=types.Channel(type=standard_artifacts.ModelEvaluation),
            blessing=types.Channel(type=standard_artifacts.ModelBlessing),
        )
        super().__init__(spec=spec)
