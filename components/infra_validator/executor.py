"""Executor of `InfraValidator`: runs the stock executor with the model in a folder that the server's pod can read."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tfx import types
from tfx.components.util import model_utils
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils, standard_artifacts
from tfx.types import standard_component_specs as specs
from tfx.utils import kube_utils, path_utils

from components.infra_validator.attempts import Attempts, resources_as_kubernetes_wants_them
from models.files.version_folders import WARM_UP, WARM_UP_FILE
from models.recipe.errors import InputError, NoVerdictError

logger = logging.getLogger(__name__)

LITTER_SECONDS = 24 * 3600
"""Maximum lifetime of a server's pod. An older copy of a model is abandoned."""


class Executor(base_executor.BaseExecutor):
    """Blesses a model that the probe has blessed, if a model server loads it.

    The stock executor reads its requests from TFRecords of tf.Examples, for one signature. Here the server gets the model with
    the probe's requests as warm-up: real rows for every signature. TensorFlow Serving finishes loading a model only after it
    has answered them.
    """

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Sets `blessed` of the InfraBlessing and copies the probe's requests into it. A bad model raises no exception.

        Raises:
            InputError: the step does not run in a pod of Kubeflow Pipelines.
            NoVerdictError: no server loaded or refused the model; the next run tries again.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        model = artifact_utils.get_single_instance(input_dict["model"])
        probed = artifact_utils.get_single_instance(input_dict["infra_blessing"])
        blessing = artifact_utils.get_single_instance(output_dict["blessing"])
        if not model_utils.is_infra_validated(probed):
            logger.error("InfraValidator: not run, because the probe has not blessed the model.")
            blessing.set_int_custom_property("blessed", 0)
            return
        _check_place()
        requests = Path(probed.uri, WARM_UP)
        with tempfile.TemporaryDirectory() as links, scratch_folder(Path(exec_properties["scratch"])) as scratch:
            candidate = standard_artifacts.Model()
            candidate.uri = links
            link_model(Path(path_utils.serving_model_path(model.uri)), requests, Path(links, "Format-Serving"))
            context = self.Context(tmp_dir=str(scratch), unique_id="server")
            with resources_as_kubernetes_wants_them():
                attempts = Attempts(context)
                attempts.Do({specs.MODEL_KEY: [candidate]}, {specs.BLESSING_KEY: [blessing]}, exec_properties)
        if not model_utils.is_infra_validated(blessing):
            if not attempts.refused:
                raise NoVerdictError(
                    f"InfraValidator: no server came to a verdict on the model; the last attempt: {attempts.last}. The model is "
                    "not pushed, and the result of this step is not kept. Fix the cluster as the log above indicates, and run "
                    "the pipeline again."
                )
            logger.error(
                "InfraValidator: the server has not loaded the model; see the log above. The model is not pushed."
            )
        elif requests.is_file():
            shutil.copyfile(requests, Path(blessing.uri, WARM_UP))


def link_model(source: Path, requests: Path, target: Path) -> None:
    """Links the exported model `source` to `target`, with `requests` as its warm-up if they exist."""
    shutil.copytree(source, target, copy_function=os.symlink)
    if requests.is_file():
        warm_up = target / WARM_UP_FILE
        warm_up.parent.mkdir(exist_ok=True)
        warm_up.unlink(missing_ok=True)
        warm_up.symlink_to(requests)


@contextlib.contextmanager
def scratch_folder(base: Path) -> Iterator[Path]:
    """A new temporary folder in `base` that other users can read, because the server may run as another user.

    Also removes folders of killed steps once no server can use them.
    """
    base.mkdir(parents=True, exist_ok=True)
    for litter in base.iterdir():
        if time.time() - litter.stat().st_mtime > LITTER_SECONDS:
            logger.warning("InfraValidator: removing %s, left by an unfinished step.", litter)
            shutil.rmtree(litter, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=base) as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


def _check_place() -> None:
    """Refuses to run outside a pod. The stock executor would try for minutes and then reject the model."""
    lacking = [name for name in (kube_utils.KFP_POD_NAME, kube_utils.KFP_NAMESPACE) if not os.environ.get(name)]
    if lacking:
        raise InputError(
            f"InfraValidator: runs only in a pod of Kubeflow Pipelines with its name and namespace; {' and '.join(lacking)} "
            "is not in the environment. Compile the recipe again, or remove kubeflow.infra_validator from it."
        )
