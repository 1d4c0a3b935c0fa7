"""The component Pusher: the stock one with an executor that can be killed and repeated, and that can push a pair of models."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.proto import pusher_pb2
from tfx.types import standard_artifacts
from tfx.types import standard_component_specs as specs
from tfx.types.component_spec import ChannelParameter, ExecutionParameter
from tfx.utils import json_utils

from components.push.executor import (
    EVALUATION,
    EXAMPLES,
    KEEP_VERSIONS,
    MODEL_RUN,
    NIGHT,
    PARTNER,
    PARTNER_BLESSING,
    PARTNER_INFRA_BLESSING,
    PARTNER_SERVED,
    PUSH,
    STATES,
    WITHDRAWN,
    Executor,
)


class PusherSpec(specs.PusherSpec):
    """Interface of `Pusher`: that of the stock Pusher, the partner, the number of versions to keep, whether to push, and the withdrawn versions."""

    PARAMETERS: ClassVar[dict[str, Any]] = {
        **specs.PusherSpec.PARAMETERS,
        PARTNER_SERVED: ExecutionParameter(type=str, optional=True),
        KEEP_VERSIONS: ExecutionParameter(type=int, optional=True),
        PUSH: ExecutionParameter(type=int, optional=True),
        WITHDRAWN: ExecutionParameter(type=str, optional=True),
        NIGHT: ExecutionParameter(type=str, optional=True),
        STATES: ExecutionParameter(type=str, optional=True),
    }
    INPUTS: ClassVar[dict[str, Any]] = {
        **specs.PusherSpec.INPUTS,
        PARTNER: ChannelParameter(type=standard_artifacts.Model, optional=True),
        PARTNER_BLESSING: ChannelParameter(type=standard_artifacts.ModelBlessing, optional=True),
        PARTNER_INFRA_BLESSING: ChannelParameter(type=standard_artifacts.InfraBlessing, optional=True),
        EXAMPLES: ChannelParameter(type=standard_artifacts.Examples, optional=True),
        MODEL_RUN: ChannelParameter(type=standard_artifacts.ModelRun, optional=True),
        EVALUATION: ChannelParameter(type=standard_artifacts.ModelEvaluation, optional=True),
    }


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recorded:
    """What the Pusher of a night records (`components.push.nights`).

    Attributes:
        night: JSON of `NightPlan`.
        states: folder of the nights.
        examples: `Examples` of the night, with what a model of them has learned from.
        model_run: `ModelRun` with the state of the model.
        evaluation: `ModelEvaluation` of the model.
    """

    night: str
    states: str
    examples: types.BaseChannel
    model_run: types.BaseChannel
    evaluation: types.BaseChannel


class Pusher(base_component.BaseComponent):
    """Pushes a model into a folder of versions, if every blessing that is passed approves it.

    The version is the second at which the model was created. It appears atomically. Two Pushers push a pair of models, each with
    the other's model as partner: under the same version, and only if both are blessed.

    Args:
        model: `Model` to push.
        model_blessing: `ModelBlessing` of the model.
        infra_blessing: `InfraBlessing` of the model.
        push_destination: the folder of the versions.
        partner: `Model` that another Pusher pushes under the same version.
        partner_blessing: `ModelBlessing` of the partner.
        partner_infra_blessing: `InfraBlessing` of the partner.
        partner_served: the folder of the partner's versions.
        keep_versions: number of newest versions that a push keeps; None keeps all.
        push: False pushes nothing, whatever the blessings.
        withdrawn: the withdrawn versions as text, used only by TFX's cache: after a rollback, the push of a withdrawn model does
            not come from the cache, and is refused.
        night: what the night has to be recorded; None for a run that is no night.

    Outputs:
        pushed_model: `PushedModel` with a copy of the model and the properties of the stock Pusher.

    Raises:
        ValueError: only one of `partner` and `partner_served` is set.
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
        push: bool = True,
        withdrawn: str = "",
        night: Recorded | None = None,
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
            # The stock Pusher's value if there is none. Another value would invalidate the cache and push everything again.
            custom_config=json_utils.dumps(None),
            partner_served=partner_served,
            keep_versions=keep_versions,
            # Absent if the model may be pushed, so that a run after --no-push finds earlier pushes in the cache.
            push=None if push else 0,
            withdrawn=withdrawn or None,
            night=night.night if night else None,
            states=night.states if night else None,
            examples=night.examples if night else None,
            model_run=night.model_run if night else None,
            evaluation=night.evaluation if night else None,
            pushed_model=types.Channel(type=standard_artifacts.PushedModel),
        )
        super().__init__(spec=spec)
