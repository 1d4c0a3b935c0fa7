"""The component Teacher: what a blessed model predicts for the train split."""

from __future__ import annotations

from typing import Any, ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.teacher.executor import Executor


class TeacherSpec(ComponentSpec):
    """Inputs, outputs and parameters of `Teacher`."""

    PARAMETERS: ClassVar[dict[str, Any]] = {
        "tasks": ExecutionParameter(type=str),
        "code": ExecutionParameter(type=str),
        "served": ExecutionParameter(type=str, optional=True),
    }
    INPUTS: ClassVar[dict[str, Any]] = {
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "model": ChannelParameter(type=standard_artifacts.Model, optional=True),
    }
    OUTPUTS: ClassVar[dict[str, Any]] = {"teacher": ChannelParameter(type=standard_artifacts.Model)}


class Teacher(base_component.BaseComponent):
    """Predicts the train split with a blessed model, for `training.distill`.

    Args:
        examples: raw `Examples` with the split train.
        tasks: JSON of {task to predict: its kind}.
        code: version of the stage's source, used only by TFX's cache.
        model: the blessed `Model`, or none if there is none yet. By default the newest version in `served`.
        served: folder of the pushed versions, where no metadata store knows the blessed models; "" otherwise.

    Outputs:
        teacher: `Model` for the Trainer's `base_model`, with a table of predictions in place of the network
            (`models.training.teacher_file`). Int property `found`: whether there was a model that could predict the split.
    """

    SPEC_CLASS = TeacherSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        tasks: str,
        code: str,
        model: types.BaseChannel | None = None,
        served: str = "",
    ) -> None:
        spec = TeacherSpec(
            examples=examples,
            tasks=tasks,
            code=code,
            model=model,
            served=served or None,
            teacher=types.Channel(type=standard_artifacts.Model),
        )
        super().__init__(spec=spec)
