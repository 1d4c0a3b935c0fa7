"""Executor of `Validation`: reads the statistics, runs the checks, writes the anomalies, and stops the run if needed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import io_utils

from components.baselines.kept_statistics import KEPT, keep
from components.statistics.protos import CATEGORIES_FILE, STATISTICS_FILE
from components.storage.finding import exists
from components.storage.reading import LocalCopy, read_bytes
from components.storage.writing import write_message
from components.validation.drift import SplitStatistics, check_columns, check_drift
from components.validation.findings import Finding, decide, schema_findings, stopping
from components.validation.plan import ValidationPlan
from components.validation.schema_check import check_schema
from components.validation.stopped_night import record_stop
from models.recipe.errors import InputError

# The stock file name and property, which readers of `ExampleAnomalies` expect.
ANOMALIES_FILE = "SchemaDiff.pb"
BLESSED = "blessed"
# Read by `baseline.py`.
PASSED = "passed"
STATISTICS_ID = "statistics_id"


class Executor(base_executor.BaseExecutor):
    """Compares every split with the schema and with the last good run."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes `anomalies`. If `keep` is set, keeps the statistics after they passed. Records a night that it stops.

        Raises:
            InputError: the examples violate the curated schema or have drifted, and the recipe stops the run for it.
        """
        plan = ValidationPlan.model_validate_json(exec_properties["plan"])
        statistics = artifact_utils.get_single_instance(input_dict["statistics"])
        [baseline] = input_dict.get("baseline_statistics") or [None]
        schema = _read_schema(artifact_utils.get_single_instance(input_dict["schema"]))
        output = artifact_utils.get_single_instance(output_dict["anomalies"])
        output.split_names = statistics.split_names
        output.span = statistics.span

        findings: list[Finding] = []
        blessed, rows = {}, 0
        for split in artifact_utils.decode_split_names(statistics.split_names):
            now = _read_statistics(statistics, split)
            rows += int(now.all.datasets[0].num_examples)
            check_columns(plan.drift, now.columns())
            anomalies = check_schema(now.all, schema)
            findings += schema_findings(anomalies, schema, split)
            if baseline is not None and split in artifact_utils.decode_split_names(baseline.split_names):
                drifted, found = check_drift(now, _read_statistics(baseline, split), plan.drift, split)
                findings += found
                merge(anomalies, drifted)
            clean = not anomalies.anomaly_info and not anomalies.HasField("dataset_anomaly_info")
            blessed[split] = int(clean)
            write_message(os.path.join(artifact_utils.get_split_uri([output], split), ANOMALIES_FILE), anomalies)

        output.set_json_value_custom_property(BLESSED, blessed)
        output.set_int_custom_property("rows", rows)
        record_stop(stopping(findings, plan), input_dict, exec_properties)
        decide(findings, plan)
        output.set_int_custom_property(PASSED, 1)
        output.set_int_custom_property(STATISTICS_ID, statistics.id)
        if baseline is not None:
            output.set_int_custom_property("baseline_statistics_id", baseline.id)
        if exec_properties.get("keep"):
            about = {"split_names": statistics.split_names, "span": statistics.span}
            with LocalCopy(statistics.uri) as folder:
                keep(Path(folder), Path(exec_properties["keep"]), about, max(KEPT, plan.every + 1))


def merge(anomalies: anomalies_pb2.Anomalies, drifted: anomalies_pb2.Anomalies) -> None:
    """Adds the drift to the anomalies of the schema. One file holds both, as in TFDV."""
    for key, info in drifted.anomaly_info.items():
        if key in anomalies.anomaly_info:
            known = anomalies.anomaly_info[key]
            known.reason.extend(info.reason)
            known.description = f"{known.description} {info.description}"
            known.short_description = "Multiple errors"
            known.severity = max(known.severity, info.severity)
        else:
            anomalies.anomaly_info[key].CopyFrom(info)
    anomalies.drift_skew_info.extend(drifted.drift_skew_info)


def _read_statistics(artifact: types.Artifact, split: str) -> SplitStatistics:
    folder = artifact_utils.get_split_uri([artifact], split)
    categories = os.path.join(folder, CATEGORIES_FILE)
    return SplitStatistics(
        all=_read_message(os.path.join(folder, STATISTICS_FILE)),
        categories=_read_message(categories) if exists(categories) else None,
    )


def _read_message(path: str) -> statistics_pb2.DatasetFeatureStatisticsList:
    return statistics_pb2.DatasetFeatureStatisticsList.FromString(read_bytes(path))


def _read_schema(artifact: types.Artifact) -> schema_pb2.Schema:
    try:
        with LocalCopy(artifact.uri) as folder:
            return io_utils.SchemaReader().read(io_utils.get_only_uri_in_dir(folder))
    except text_format.ParseError as error:
        raise InputError(
            f"validation.schema: expected a TFDV schema as text proto; cannot parse it: {error}."
        ) from None
