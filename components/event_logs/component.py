"""The component EventLogs, the first stage."""

from __future__ import annotations

from typing import ClassVar

from tfx import types
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.event_logs.executor import Executor


class EventLogsSpec(ComponentSpec):
    """No inputs. TFX's cache ignores log files and code; it depends on `fingerprint`, the list of files, and on `code`."""

    PARAMETERS: ClassVar[dict[str, ExecutionParameter]] = {
        "plan": ExecutionParameter(type=str),
        "fingerprint": ExecutionParameter(type=str),
        "code": ExecutionParameter(type=str),
    }
    INPUTS: ClassVar[dict[str, ChannelParameter]] = {}
    OUTPUTS: ClassVar[dict[str, ChannelParameter]] = {"examples": ChannelParameter(type=standard_artifacts.Examples)}


class EventLogs(base_beam_component.BaseBeamComponent):
    """Converts event logs or labelled examples to `outputs["examples"]`."""

    SPEC_CLASS = EventLogsSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    def __init__(self, plan: str, fingerprint: str, code: str) -> None:
        """Takes the JSON of `EventLogsPlan`, the fingerprint of the log files, and the version of the stage's source."""
        examples = types.Channel(type=standard_artifacts.Examples)
        spec = EventLogsSpec(plan=plan, fingerprint=fingerprint, code=code, examples=examples)
        super().__init__(spec=spec)
