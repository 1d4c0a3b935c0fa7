"""The component InfraValidator: the stock one, which also takes what the probe has found."""

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
    """A server of `serving_spec` loads the model that the probe has blessed, and answers the probe's warm-up requests.

    Output `blessing`: blessed if the probe's is and the server did; it stands for both, with the probe's requests in it.

    Args:
        model: the exported model, of the Trainer.
        infra_blessing: of the Probe.
        serving_spec: the server's image, and where it runs.
        validation_spec: how long it may load, and how often that is tried.
        scratch: a folder that the server sees at the same path: on a volume that is mounted in the step's own pod.
        code: version of the stage's source; only for TFX's cache.
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
