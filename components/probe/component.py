"""The component Probe."""

from __future__ import annotations

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.probe.executor import Executor


class ProbeSpec(ComponentSpec):
    """Interface of Probe."""

    PARAMETERS = {  # noqa: RUF012 - the base class wants a plain dict
        "plan": ExecutionParameter(type=str),
        "code": ExecutionParameter(type=str),
        "timeout_seconds": ExecutionParameter(type=int),
    }
    INPUTS = {  # noqa: RUF012
        "model": ChannelParameter(type=standard_artifacts.Model),
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "blessing": ChannelParameter(type=standard_artifacts.ModelBlessing, optional=True),
    }
    OUTPUTS = {  # noqa: RUF012
        "infra_blessing": ChannelParameter(type=standard_artifacts.InfraBlessing),
    }


class Probe(base_component.BaseComponent):
    """Sends real requests to the exported model in a fresh process before the push.

    Output `infra_blessing`: int property `blessed`, as the stock InfraValidator sets it. `probe.json` lists the faults.

    Args:
        model: the exported model of the Trainer.
        examples: the raw examples of the stage event_logs.
        plan: JSON text of a ProbePlan.
        code: version of the stage's source, used only by TFX's cache.
        blessing: blessing of the evaluation; a model that is not blessed is not probed.
        timeout_seconds: limit for all requests together, including the start of the process.
    """

    SPEC_CLASS = ProbeSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        model: types.BaseChannel,
        examples: types.BaseChannel,
        plan: str,
        code: str,
        blessing: types.BaseChannel | None = None,
        timeout_seconds: int = 600,
    ) -> None:
        inputs = {"model": model, "examples": examples}
        if blessing is not None:
            inputs["blessing"] = blessing
        super().__init__(
            spec=ProbeSpec(
                **inputs,
                plan=plan,
                code=code,
                timeout_seconds=timeout_seconds,
                infra_blessing=types.Channel(type=standard_artifacts.InfraBlessing),
            )
        )
