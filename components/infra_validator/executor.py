"""Has the stock InfraValidator's executor load the model into a server, from where the server's pod can see it."""

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
"""The longest that a server's pod may live, and so the age at which a copy of a model is nobody's."""


class Executor(base_executor.BaseExecutor):
    """Blesses what the probe has blessed, if a model server loads it.

    The stock executor's own requests are read from TFRecords of tf.Examples, of one signature. Here the model is given to
    the server with the probe's requests as its warm-up, of real rows and of every signature: TensorFlow Serving has not
    loaded a model before it has answered them.
    """

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Sets `blessed` of the InfraBlessing and puts the probe's requests into it; a bad model is no exception.

        Raises:
            InputError: it does not run in a pod of Kubeflow Pipelines.
            NoVerdictError: no server got so far as to load or refuse the model; the next run tries again.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        model = artifact_utils.get_single_instance(input_dict["model"])
        probed = artifact_utils.get_single_instance(input_dict["infra_blessing"])
        blessing = artifact_utils.get_single_instance(output_dict["blessing"])
        if not model_utils.is_infra_validated(probed):
            logger.error("InfraValidator: no server is asked, the probe has not blessed the model.")
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
                    f"InfraValidator: no server came to a verdict on the model; the last attempt: {attempts.last}. It is not "
                    "pushed, and nothing is kept of this step: mend what the log above tells of the cluster, and run the "
                    "pipeline again."
                )
            logger.error(
                "InfraValidator: the server has not loaded the model; why is in the log above. It is not pushed."
            )
        elif requests.is_file():
            shutil.copyfile(requests, Path(blessing.uri, WARM_UP))


def link_model(source: Path, requests: Path, target: Path) -> None:
    """Makes `target` the exported model `source`, by links, with `requests` as its warm-up if there are any."""
    shutil.copytree(source, target, copy_function=os.symlink)
    if requests.is_file():
        warm_up = target / WARM_UP_FILE
        warm_up.parent.mkdir(exist_ok=True)
        warm_up.unlink(missing_ok=True)
        warm_up.symlink_to(requests)


@contextlib.contextmanager
def scratch_folder(base: Path) -> Iterator[Path]:
    """A new folder below `base` that other users can read, as the server's may be one; removed in the end.

    What a killed step has left there is removed as well, when no server can have it any more.
    """
    base.mkdir(parents=True, exist_ok=True)
    for litter in base.iterdir():
        if time.time() - litter.stat().st_mtime > LITTER_SECONDS:
            logger.warning("InfraValidator: removing %s, which a step left that did not finish.", litter)
            shutil.rmtree(litter, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=base) as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


def _check_place() -> None:
    """The stock executor would try for minutes, and then find that the model was bad."""
    lacking = [name for name in (kube_utils.KFP_POD_NAME, kube_utils.KFP_NAMESPACE) if not os.environ.get(name)]
    if lacking:
        raise InputError(
            f"InfraValidator: runs in a pod of Kubeflow Pipelines only, which knows its name and namespace; {' and '.join(lacking)} "
            "is not in the environment. Compile the recipe again, or remove kubeflow.infra_validator from it."
        )
