"""The component Pusher: the stock one, with an executor that can be killed and repeated, and that pushes models in pairs."""

from __future__ import annotations

from typing import Any, ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.proto import pusher_pb2
from tfx.types import standard_artifacts
from tfx.types import standard_component_specs as specs
from tfx.types.component_spec import ChannelParameter, ExecutionParameter
from tfx.utils import json_utils

from components.push.executor import (
    KEEP_VERSIONS,
    PARTNER,
    PARTNER_BLESSING,
    PARTNER_INFRA_BLESSING,
    PARTNER_SERVED,
    Executor,
)


class PusherSpec(specs.PusherSpec):
    """Interface of `Pusher`: the stock one's, the partner, and how many versions are kept."""

    PARAMETERS: ClassVar[dict[str, Any]] = {
        **specs.PusherSpec.PARAMETERS,
        PARTNER_SERVED: ExecutionParameter(type=str, optional=True),
        KEEP_VERSIONS: ExecutionParameter(type=int, optional=True),
    }
    INPUTS: ClassVar[dict[str, Any]] = {
        **specs.PusherSpec.INPUTS,
        PARTNER: ChannelParameter(type=standard_artifacts.Model, optional=True),
        PARTNER_BLESSING: ChannelParameter(type=standard_artifacts.ModelBlessing, optional=True),
        PARTNER_INFRA_BLESSING: ChannelParameter(type=standard_artifacts.InfraBlessing, optional=True),
    }


class Pusher(base_component.BaseComponent):
    """Pushes a model into a folder of versions, if everything that was given has blessed it.

    The version is the second at which the model was made, and it appears whole or not at all. Two models that belong
    together are pushed by two of these, each the other's partner: under one version, and only if both are blessed.

    Args:
        model: `Model` to push.
        model_blessing: `ModelBlessing` of it.
        infra_blessing: `InfraBlessing` of it.
        push_destination: the folder of the versions.
        partner: `Model` that is pushed beside it, by a Pusher of its own.
        partner_blessing: `ModelBlessing` of the partner.
        partner_infra_blessing: `InfraBlessing` of the partner.
        partner_served: the folder of the partner's versions.
        keep_versions: how many of the newest versions a push keeps; None: all.

    Outputs:
        pushed_model: `PushedModel` with a copy of the model, and the stock Pusher's properties.

    Raises:
        ValueError: a partner without its folder, or the other way round.
    """

    SPEC_CLASS = PusherSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        model: types.BaseChannel,
        push_destination: pusher_pb2.PushDestination,
        model_blessing: types.BaseChannel | None = None,
        infra_blessing: types.BaseChannel | None = None,
        partner: types.BaseChannel | None = None,
        partner_blessing: types.BaseChannel | None = None,
        partner_infra_blessing: types.BaseChannel | None = None,
        partner_served: str | None = None,
        keep_versions: int | None = None,
    ) -> None:
        if (partner is None) != (partner_served is None):
            raise ValueError("expected both `partner` and `partner_served`, or neither")
        spec = PusherSpec(
            model=model,
            model_blessing=model_blessing,
            infra_blessing=infra_blessing,
            partner=partner,
            partner_blessing=partner_blessing,
            partner_infra_blessing=partner_infra_blessing,
            push_destination=push_destination,
            # As the stock Pusher has it without one: another value would push everything once more.
            custom_config=json_utils.dumps(None),
            partner_served=partner_served,
            keep_versions=keep_versions,
            pushed_model=types.Channel(type=standard_artifacts.PushedModel),
        )
        super().__init__(spec=spec)
