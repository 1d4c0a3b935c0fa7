"""The component Evaluator: measures a model on the eval split and writes metrics and a blessing."""

from __future__ import annotations

from typing import Any, ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.evaluation.executor import Executor


class EvaluatorSpec(ComponentSpec):
    """Inputs, outputs and parameters of `Evaluator`."""

    PARAMETERS: ClassVar[dict[str, Any]] = {
        "plan": ExecutionParameter(type=str),
        "code": ExecutionParameter(type=str),
        "fingerprint": ExecutionParameter(type=str),
        "kept_best": ExecutionParameter(type=str, optional=True),
    }
    INPUTS: ClassVar[dict[str, Any]] = {
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "transformed_examples": ChannelParameter(type=standard_artifacts.Examples),
        "model": ChannelParameter(type=standard_artifacts.Model),
        "references": ChannelParameter(type=standard_artifacts.InferenceResult, optional=True),
        "baseline_model": ChannelParameter(type=standard_artifacts.Model, optional=True),
        "baseline_blessing": ChannelParameter(type=standard_artifacts.ModelBlessing, optional=True),
    }
    OUTPUTS: ClassVar[dict[str, Any]] = {
        "evaluation": ChannelParameter(type=standard_artifacts.ModelEvaluation),
        "blessing": ChannelParameter(type=standard_artifacts.ModelBlessing),
    }


class Evaluator(base_component.BaseComponent):
    """Measures a model on the eval split and blesses it if every gate holds.

    Args:
        examples: raw `Examples` (Parquet): slices, group key, event ids, and the baseline's inputs.
        transformed_examples: the same examples, transformed (Arrow IPC).
        model: `Model`, the candidate.
        plan: JSON of `EvaluationPlan`.
        code: version of the stage's source, used only by TFX's cache.
        references: `InferenceResult` of the stage References, or None.
        fingerprint: fingerprint of the truth files to read (`truth_fingerprint`); "" if none were visible at assembly.
        baseline_model: `Model` to compare with (`baseline_model_resolver`), or None.
        baseline_blessing: `ModelBlessing` of the baseline, with the best values of all earlier blessed models, or None.
        kept_best: folder for these values if there is no metadata store, or "".

    Outputs:
        evaluation: `ModelEvaluation`, in TFMA's files and as metrics.json, and the candidate's predictions as Parquet files.
        blessing: `ModelBlessing` with the properties of the stock Evaluator. A model that is not blessed is not an error.
    """

    SPEC_CLASS = EvaluatorSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        transformed_examples: types.BaseChannel,
        model: types.BaseChannel,
        plan: str,
        code: str,
        fingerprint: str = "",
        references: types.BaseChannel | None = None,
        baseline_model: types.BaseChannel | None = None,
        baseline_blessing: types.BaseChannel | None = None,
        kept_best: str = "",
    ) -> None:
        spec = EvaluatorSpec(
            examples=examples,
            transformed_examples=transformed_examples,
            model=model,
            references=references,
            baseline_model=baseline_model,
            baseline_blessing=baseline_blessing,
            kept_best=kept_best or None,
            plan=plan,
            code=code,
            fingerprint=fingerprint,
            evaluation=types.Channel(type=standard_artifacts.ModelEvaluation),
            blessing=types.Channel(type=standard_artifacts.ModelBlessing),
        )
        super().__init__(spec=spec)
