"""Runs the push: the stock Pusher's executor with another way to write the version."""

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
from components.push.retention import prune
from components.push.versions import publish, version_of_both
from models.files.version_folders import WARM_UP
from models.recipe.errors import InputError
from models.serving.inputs import read_exported_at

logger = logging.getLogger(__name__)

PARTNER, PARTNER_BLESSING, PARTNER_INFRA_BLESSING = "partner", "partner_blessing", "partner_infra_blessing"
PARTNER_SERVED, KEEP_VERSIONS = "partner_served", "keep_versions"


class Executor(stock.Executor):
    """Pushes the model if everything that was given has blessed it, and its partner if there is one.

    The stock executor names the version after the clock and copies into place: killed half-way it leaves half a
    version, killed at the end it pushes the same model twice. Here the version is the second at which the model was
    made, so a repeated push finds it there; a number that another model has is left to it, and the next one taken. With a
    partner it is the second at which the later of the two was made, so that each one's push comes to the same number by
    itself; a model that has not changed is pushed once more, under the number of its new partner.
    """

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Sets `pushed`, `pushed_destination` and `pushed_version` of the PushedModel, which gets a copy of the model.

        An execution property `push` that is false keeps everything as it is, whatever the blessings say. With `keep_versions`,
        a push removes old versions afterwards (`components.push.retention`).

        Raises:
            InputError: the destination is no folder of a file system, or what was copied is not the model.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        pushed = artifact_utils.get_single_instance(output_dict[specs.PUSHED_MODEL_KEY])
        pushed.set_int_custom_property("rows", 0)
        if not exec_properties.get("push", True):
            logger.info("Push: switched off for this run.")
            self._MarkNotPushed(pushed)
            return
        partner = input_dict.get(PARTNER, [])
        if not self.CheckBlessing(input_dict) or (partner and not self.CheckBlessing(_of_partner(input_dict))):
            self._MarkNotPushed(pushed)
            return
        source = Path(self.GetModelPath(input_dict))
        destination = pusher_pb2.PushDestination()
        proto_utils.json_to_proto(exec_properties[specs.PUSH_DESTINATION_KEY], destination)
        base = destination.filesystem.base_directory
        if not base or "://" in base:
            raise InputError(
                f"Push: expected a folder of a file system, mounted where it is remote, received {base!r}. "
                "Renaming, which makes a version appear whole, is not atomic elsewhere."
            )
        made = version_of(artifact_utils.get_single_instance(input_dict[specs.MODEL_KEY]), source)
        places = [(source, Path(base))]
        if partner:
            theirs = Path(self.GetModelPath(_of_partner(input_dict)))
            made = max(made, version_of(artifact_utils.get_single_instance(partner), theirs))
            places.append((theirs, Path(exec_properties[PARTNER_SERVED])))
        # Nobody takes the number between its choice and the push.
        with alone_in(folder for _, folder in places):
            version = version_of_both(made, places)
            if version != made:
                logger.warning(
                    "Push: version %d in %s is another model, of another recipe of the same serving.model_name, another run or "
                    "another partner. This one becomes version %d.",
                    made,
                    " or ".join(str(folder) for _, folder in places),
                    version,
                )
            target = publish(source, Path(base), version, warm_up_of(input_dict.get(specs.INFRA_BLESSING_KEY, [])))
        io_utils.copy_dir(str(target), pushed.uri)
        self._MarkPushed(pushed, pushed_destination=str(target), pushed_version=str(version))
        if keep := exec_properties.get(KEEP_VERSIONS):
            folders = [folder for _, folder in places]
            with alone_in(folders):
                prune(int(keep), *folders, pushed=version)


def _of_partner(input_dict: dict[str, list[types.Artifact]]) -> dict[str, list[types.Artifact]]:
    """The partner and its blessings, under the names that they have in their own push."""
    names = {
        PARTNER: specs.MODEL_KEY,
        PARTNER_BLESSING: specs.MODEL_BLESSING_KEY,
        PARTNER_INFRA_BLESSING: specs.INFRA_BLESSING_KEY,
    }
    return {own: input_dict[name] for name, own in names.items() if name in input_dict}


def warm_up_of(blessings: list[types.Artifact]) -> Path | None:
    """The requests of real rows that the probe has left, if it has."""
    files = [Path(blessing.uri, WARM_UP) for blessing in blessings if blessing.uri]
    return next((file for file in files if file.is_file()), None)


def version_of(model: types.Artifact, source: Path) -> int:
    """The second at which the model was made: as the metadata store knows it, else (Kubeflow hands over no times) as
    the exported model itself says."""
    milliseconds = model.mlmd_artifact.create_time_since_epoch
    return milliseconds // 1000 if milliseconds else read_exported_at(source)
