"""Executor of `Pusher`: the stock executor with a different way to write the version."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from tfx import types
from tfx.components.pusher import executor as stock
from tfx.proto import pusher_pb2
from tfx.types import artifact_utils
from tfx.types import standard_component_specs as specs
from tfx.utils import io_utils, proto_utils

from components.push.lock import alone_in
from components.push.night_keeper import NightKeeper
from components.push.retention import prune
from components.push.versions import publish, refuse_withdrawn, version_of_both
from models.files.version_folders import WARM_UP
from models.recipe.errors import InputError
from models.serving.inputs import read_exported_at

logger = logging.getLogger(__name__)

PARTNER, PARTNER_BLESSING, PARTNER_INFRA_BLESSING = "partner", "partner_blessing", "partner_infra_blessing"
PARTNER_SERVED, KEEP_VERSIONS, PUSH, WITHDRAWN = "partner_served", "keep_versions", "push", "withdrawn"
NIGHT, STATES, EXAMPLES, MODEL_RUN, EVALUATION = "night", "states", "examples", "model_run", "evaluation"
DISABLED, MODEL_ID, NEWER_DAY = "push_disabled", "model_id", "newer_day"
"""Properties of a PushedModel: 1 if the run was not to push; id of the model; why a model of an older day was not pushed."""


class Executor(stock.Executor):
    """Pushes the model if every blessing that is passed approves it and, if there is one, its partner.

    The stock executor takes the version from the clock and copies in place. If it is killed while copying, it leaves half a
    version; if it is killed at the end, the next run pushes the same model twice. Here the version is the second at which the
    model was created, so a repeated push finds it. If another model has that number, the next free number is used. With a
    partner, the version is the second at which the later of the two models was created, so both pushes derive the same number
    independently. An unchanged model is pushed again under the number of its new partner.
    """

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Copies the model into the PushedModel and sets its `pushed`, `pushed_destination` and `pushed_version`.

        If the execution property `push` is false, nothing is pushed, whatever the blessings, and the PushedModel has the property
        `DISABLED`. A night of an older day than that of a pushed model pushes nothing, and the property `NEWER_DAY` says why. With
        `keep_versions`, a push removes old versions afterwards (`components.push.retention`).

        Raises:
            InputError: the destination is not a folder of a file system, the model or its partner is withdrawn, or the copy
                differs from the model.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        pushed = artifact_utils.get_single_instance(output_dict[specs.PUSHED_MODEL_KEY])
        pushed.set_int_custom_property("rows", 0)
        pushed.set_int_custom_property(MODEL_ID, artifact_utils.get_single_instance(input_dict[specs.MODEL_KEY]).id)
        if not exec_properties.get(PUSH, True):
            logger.info("Push: disabled for this run.")
            pushed.set_int_custom_property(DISABLED, 1)
            self._MarkNotPushed(pushed)
            return
        partner = input_dict.get(PARTNER, [])
        night = NightKeeper.of(input_dict, exec_properties)
        if not self.CheckBlessing(input_dict) or (partner and not self.CheckBlessing(_of_partner(input_dict))):
            if night is not None:
                model = artifact_utils.get_single_instance(input_dict[specs.MODEL_KEY])
                night.refused(version_of(model, Path(self.GetModelPath(input_dict))))
            self._MarkNotPushed(pushed)
            return
        if night is not None and (newer := night.newer()):
            logger.warning("Push: %s", newer)
            pushed.set_string_custom_property(NEWER_DAY, newer)
            self._MarkNotPushed(pushed)
            return
        source = Path(self.GetModelPath(input_dict))
        destination = pusher_pb2.PushDestination()
        proto_utils.json_to_proto(exec_properties[specs.PUSH_DESTINATION_KEY], destination)
        base = destination.filesystem.base_directory
        if not base or "://" in base:
            raise InputError(
                f"Push: expected a folder of a file system (mount remote storage), received {base!r}. "
                "A version appears by an atomic rename, which other storage does not offer."
            )
        made = version_of(artifact_utils.get_single_instance(input_dict[specs.MODEL_KEY]), source)
        places = [(source, Path(base))]
        if partner:
            theirs = Path(self.GetModelPath(_of_partner(input_dict)))
            made = max(made, version_of(artifact_utils.get_single_instance(partner), theirs))
            places.append((theirs, Path(exec_properties[PARTNER_SERVED])))
        # The lock keeps the number free between its choice and the push.
        with alone_in(folder for _, folder in places):
            version = version_of_both(made, places)
            refuse_withdrawn(version, places)
            if version != made:
                logger.warning(
                    "Push: version %d in %s is another model: from another recipe with the same serving.model_name, another run "
                    "or another partner. This model becomes version %d.",
                    made,
                    " or ".join(str(folder) for _, folder in places),
                    version,
                )
            if night is not None:
                night.pushed(version)
            target = publish(source, Path(base), version, warm_up_of(input_dict.get(specs.INFRA_BLESSING_KEY, [])))
        io_utils.copy_dir(str(target), pushed.uri)
        self._MarkPushed(pushed, pushed_destination=str(target), pushed_version=str(version))
        if keep := exec_properties.get(KEEP_VERSIONS):
            folders = [folder for _, folder in places]
            with alone_in(folders):
                prune(int(keep), *folders, pushed=version)
                if night is not None:
                    night.prune(Path(base))


def _of_partner(input_dict: dict[str, list[types.Artifact]]) -> dict[str, list[types.Artifact]]:
    """The partner and its blessings, under the keys of a model and its blessings."""
    names = {
        PARTNER: specs.MODEL_KEY,
        PARTNER_BLESSING: specs.MODEL_BLESSING_KEY,
        PARTNER_INFRA_BLESSING: specs.INFRA_BLESSING_KEY,
    }
    return {own: input_dict[name] for name, own in names.items() if name in input_dict}


def warm_up_of(blessings: list[types.Artifact]) -> Path | None:
    """The warm-up requests that the probe wrote; None if it wrote none."""
    files = [Path(blessing.uri, WARM_UP) for blessing in blessings if blessing.uri]
    return next((file for file in files if file.is_file()), None)


def version_of(model: types.Artifact, source: Path) -> int:
    """The second at which the model was created, from the metadata store; without one (on Kubeflow), from the exported model."""
    milliseconds = model.mlmd_artifact.create_time_since_epoch
    return milliseconds // 1000 if milliseconds else read_exported_at(source)
