"""Executor of `Probe`: runs the probe and writes its report."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from tfx import types
from tfx.components.util import model_utils
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components.example_schema import VALIDATE
from components.probe.plan import ProbePlan
from components.probe.process import ask_in_process
from models.files.version_folders import WARM_UP

logger = logging.getLogger(__name__)


class Executor(base_executor.BaseExecutor):
    """Blesses the exported model if its answers equal the trainer's predictions."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Sets `blessed` and `rows` of the InfraBlessing and writes probe.json into it. A bad model raises no exception.

        probe.json: {"blessed": bool, "requests": number of examples, "faults": [...], "latency_ms": {"p50", "p99"},
        "size_mib"}. For a good model, it also writes warm-up requests of real rows for TensorFlow Serving, which the push
        copies into the version.

        Raises:
            NoVerdictError: the probe process was killed or did not end in time; the next run probes again.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        plan = ProbePlan.model_validate_json(exec_properties["plan"])
        model = artifact_utils.get_single_instance(input_dict["model"])
        blessing = artifact_utils.get_single_instance(output_dict["infra_blessing"])
        Path(blessing.uri).mkdir(parents=True, exist_ok=True)
        if any(not model_utils.is_model_blessed(given) for given in input_dict.get("blessing", [])):
            report: dict[str, Any] = {"requests": 0, "faults": ["not probed: the evaluation has not blessed the model"]}
        else:
            examples = artifact_utils.get_single_instance(input_dict["examples"])
            report = ask_in_process(
                path_utils.serving_model_path(model.uri),
                sorted(str(path) for path in Path(examples.uri, f"Split-{VALIDATE}").glob("*.parquet")),
                plan,
                str(Path(blessing.uri, WARM_UP)),
                exec_properties["timeout_seconds"],
            )
        blessed = not report["faults"]
        for fault in report["faults"]:
            logger.error("Probe: %s. The model is not pushed.", fault)
        content = json.dumps({"blessed": blessed, **report}, indent=2)
        Path(blessing.uri, "probe.json").write_text(content, encoding="utf-8")
        blessing.set_int_custom_property("blessed", int(blessed))
        blessing.set_int_custom_property("rows", report["requests"])
