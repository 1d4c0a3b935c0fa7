"""The record of a night that Validation stops, so that a bad day does not stop every later night."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tfx import types
from tfx.types import artifact_utils

from components.example_schema import EVAL, TRAIN, VALIDATE
from components.push.night_keeper import cursor_of
from components.push.nights import NightPlan, free_version, learned_days, record_of, validate_days, write_record
from components.validation.findings import Finding

logger = logging.getLogger(__name__)


def record_stop(
    stopping: Sequence[Finding], input_dict: Mapping[str, list[types.Artifact]], exec_properties: Mapping[str, Any]
) -> None:
    """Records a night as refused, and leaves out the days of the splits with findings. Nothing if the run is no night.

    The version of the record is the second at which the statistics were made (1 without a metadata store), so a run that is stopped again
    finds its record.

    Args:
        stopping: the findings that stop the run.
        input_dict: artifacts with the keys "examples" and "statistics".
        exec_properties: "night", JSON of `NightPlan`, and "states", folder of the nights.
    """
    if not stopping or not exec_properties.get("night"):
        return
    plan = NightPlan.model_validate_json(exec_properties["night"])
    night, states = plan.night, Path(exec_properties["states"])
    cursor = cursor_of(Path(artifact_utils.get_single_instance(input_dict["examples"]).uri))
    days = {TRAIN: learned_days(night, cursor), VALIDATE: validate_days(plan, cursor), EVAL: plan.eval_days}
    left_out = tuple(sorted({day for finding in stopping for day in days[finding.split]}))
    created = artifact_utils.get_single_instance(input_dict["statistics"]).mlmd_artifact.create_time_since_epoch
    record = record_of(
        night,
        cursor,
        free_version(states, max(1, created // 1000), night.day),
        pushed=False,
        reasons=tuple(f"{finding.kind}: {finding}" for finding in stopping),
        left_out=left_out,
    )
    write_record(states, record, None)
    logger.warning(
        "Validation: later nights do not learn from %s. To take a day in again: logs.taken_in.",
        ", ".join(left_out) or "no other days",
    )
