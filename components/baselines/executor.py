"""Executors of `BaselineModel` and `BaselineStatistics`: find the baseline in a folder, copy it, and report the result."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components.baselines.kept_statistics import newest
from components.push.executor import version_of
from models.files.version_folders import version_folders

logger = logging.getLogger(__name__)

FOUND = "found"


def newest_before(served: Path, version: int) -> Path | None:
    """The newest whole version below `served` that is older than `version`, or None.

    Every pushed version was blessed, and versions rise with the time at which the models were made.

    Args:
        served: folder of the versions, which TF Serving polls; may be missing.
        version: of the candidate, the second at which it was made.
    """
    older = [path for number, path in version_folders(served).items() if number < version]
    return older[-1] if older else None


class BaselineModelExecutor(base_executor.BaseExecutor):
    """Copies the newest pushed version before the candidate."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Fills `baseline_model`, and sets its `found`."""
        candidate = artifact_utils.get_single_instance(input_dict["candidate"])
        output = artifact_utils.get_single_instance(output_dict["baseline_model"])
        served = Path(exec_properties["served"])
        older = newest_before(served, version_of(candidate, Path(path_utils.serving_model_path(candidate.uri))))
        if older is not None:
            shutil.copytree(older, path_utils.serving_model_dir(output.uri), dirs_exist_ok=True)
        _say(output, older, f"a pushed version older than the candidate in {served}")


class BaselineStatisticsExecutor(base_executor.BaseExecutor):
    """Copies the statistics kept last."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Fills `baseline_statistics`, and sets its `found`."""
        output = artifact_utils.get_single_instance(output_dict["baseline_statistics"])
        kept = Path(exec_properties["kept"])
        every = exec_properties.get("every") or 0
        span = artifact_utils.get_single_instance(input_dict["candidate"]).span if every else 0
        last = newest(kept, span, every)
        if last is not None:
            folder, about = last
            shutil.copytree(folder, output.uri, dirs_exist_ok=True)
            output.split_names, output.span = about["split_names"], about["span"]
        _say(output, last[0] if last else None, f"statistics of an earlier good run in {kept}")


def _say(output: types.Artifact, found: Path | None, what: str) -> None:
    """Logs and writes the result. The file always exists, because an empty folder would not reach the next stage."""
    logger.info("Baseline: %s", found or f"no {what}")
    output.set_int_custom_property(FOUND, int(found is not None))
    folder = Path(output.uri)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "baseline.json").write_text(json.dumps({"looked_for": what, "found": found and str(found)}), "utf-8")
