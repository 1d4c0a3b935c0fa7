"""The component InfraValidator: the stock one, which also takes the result of the probe."""

from __future__ import annotations

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.proto import infra_validator_pb2
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.infra_validator.executor import Executor


class InfraValidatorSpec(ComponentSpec):
    """Interface of InfraValidator."""

    PARAMETERS = {  # noqa: RUF012 - the base class wants a plain dict
        "serving_spec": ExecutionParameter(type=infra_validator_pb2.ServingSpec),
        "validation_spec": ExecutionParameter(type=infra_validator_pb2.ValidationSpec),
        "scratch": ExecutionParameter(type=str),
        "code": ExecutionParameter(type=str),
    }
    INPUTS = {  # noqa: RUF012
        "model": ChannelParameter(type=standard_artifacts.Model),
        "infra_blessing": ChannelParameter(type=standard_artifacts.InfraBlessing),
    }
    OUTPUTS = {  # noqa: RUF012
        "blessing": ChannelParameter(type=standard_artifacts.InfraBlessing),
    }


class InfraValidator(base_component.BaseComponent):
    """Loads a model that the probe has blessed into a server of `serving_spec`, which answers the probe's warm-up requests.

    Output `blessing`: blessed if the probe blessed the model and the server loaded it. It contains the probe's requests.

    Args:
        model: the exported model of the Trainer.
        infra_blessing: blessing of the Probe.
        serving_spec: image and platform of the server.
        validation_spec: time limit for loading, and number of attempts.
        scratch: a folder that the server sees at the same path, on a volume that is mounted in the step's pod.
        code: version of the stage's source, used only by TFX's cache.
    """

    SPEC_CLASS = InfraValidatorSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        model: types.BaseChannel,
        infra_blessing: types.BaseChannel,
        serving_spec: infra_validator_pb2.ServingSpec,
        validation_spec: infra_validator_pb2.ValidationSpec,
        scratch: str,
        code: str,
    ) -> None:
        super().__init__(
            spec=InfraValidatorSpec(
                model=model,
                infra_blessing=infra_blessing,
                serving_spec=serving_spec,
                validation_spec=validation_spec,
                scratch=scratch,
                code=code,
                blessing=types.Channel(type=standard_artifacts.InfraBlessing),
            )
        )
