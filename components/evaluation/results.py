"""Writes the results in TFMA's file formats, for its loaders and viewers, and as metrics.json.

`eval_config.json` (an EvalRun), `metrics-00000-of-00001.tfrecord` (one MetricsForSlice per slice) and
`validations.tfrecord` (one ValidationResult). Tasks are TFMA's outputs; metrics keep our names.
A metric without value is omitted, because TFMA cannot represent it.
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterable, Mapping
from typing import Any

import tensorflow as tf
from google.protobuf import json_format
from tensorflow_model_analysis import version
from tensorflow_model_analysis.proto import config_pb2, metrics_for_slice_pb2, validation_result_pb2

from components.evaluation.gates import GateResult
from components.evaluation.intervals import Interval
from components.evaluation.plan import EvaluationPlan
from components.evaluation.report import Report
from components.evaluation.scores import COUNTS, Value
from components.example_schema import label_of, weight_of
from components.storage.writing import whole_file, write_text

CONFIG, METRICS, VALIDATIONS = "eval_config.json", "metrics-00000-of-00001.tfrecord", "validations.tfrecord"
OURS = "metrics.json"


def write_report(report: Report, plan: EvaluationPlan, folder: str, model: str, examples: str) -> None:
    """Writes all four files, each atomically.

    Args:
        report: report of the evaluation.
        plan: plan of the evaluation.
        folder: folder of the ModelEvaluation artifact.
        model: location of the model, for the record.
        examples: location of the examples, for the record.
    """
    run = config_pb2.EvalRun(
        eval_config=eval_config(plan),
        version=version.VERSION,
        data_location=examples,
        file_format="parquet",
        model_locations={"": model},
    )
    write_text(os.path.join(folder, CONFIG), json_format.MessageToJson(run))
    _write_records(os.path.join(folder, METRICS), slice_metrics(report))
    _write_records(os.path.join(folder, VALIDATIONS), [validation_result(report)])
    write_text(os.path.join(folder, OURS), json.dumps(report.to_json(), indent=1, allow_nan=False))


def eval_config(plan: EvaluationPlan) -> config_pb2.EvalConfig:
    """The tasks as outputs of one model, the metrics with their thresholds, and the slices."""
    config = config_pb2.EvalConfig()
    spec = config.model_specs.add(signature_name="serving_default")
    for task, about in plan.tasks.items():
        spec.label_keys[task] = label_of(task)
        spec.example_weight_keys[task] = weight_of(task)
        metrics = config.metrics_specs.add(output_names=[task])
        gated = (gate.metric for gate in about.gates if gate.metric not in COUNTS)
        for name in dict.fromkeys((*about.metrics, *gated)):
            metric = metrics.metrics.add(class_name=name)
            bounds = [gate for gate in about.gates if gate.metric == name and not gate.slice]
            for gate in bounds:
                if gate.at_least is not None:
                    metric.threshold.value_threshold.lower_bound.value = gate.at_least
                if gate.at_most is not None:
                    metric.threshold.value_threshold.upper_bound.value = gate.at_most
    config.slicing_specs.add()
    for entry in plan.slices:
        config.slicing_specs.add(feature_keys=list(entry))
    return config


def slice_metrics(report: Report) -> list[metrics_for_slice_pb2.MetricsForSlice]:
    """One message per slice with the metrics of all tasks; the overall slice first."""
    overall = metrics_for_slice_pb2.MetricsForSlice()
    # TFMA recognizes the overall slice by a slice key that is set and empty.
    overall.slice_key.SetInParent()
    for task, metrics in report.tasks.items():
        _add(overall, task, metrics, report.intervals[task])
    found = [overall]
    for slice_, group in itertools.groupby(report.slices, key=lambda one: one.slice):
        message = metrics_for_slice_pb2.MetricsForSlice()
        _fill_key(message.slice_key, slice_)
        for one in group:
            _add(message, one.task, one.metrics, one.intervals)
        found.append(message)
    return found


def validation_result(report: Report) -> validation_result_pb2.ValidationResult:
    """The gates: `validation_ok`, and a failure with a message for every gate that does not hold."""
    result = validation_result_pb2.ValidationResult(
        validation_ok=report.blessed, rubber_stamp=report.baseline is None, missing_thresholds=False
    )
    failed = sorted((gate for gate in report.gates if not gate.held), key=lambda gate: sorted(gate.slice.items()))
    for slice_, gates in itertools.groupby(failed, key=lambda gate: gate.slice):
        per_slice = result.metric_validations_per_slice.add()
        per_slice.slice_key.SetInParent()
        _fill_key(per_slice.slice_key, slice_)
        for gate in gates:
            _add_failure(per_slice, gate)
    return result


def _add_failure(per_slice: Any, gate: GateResult) -> None:
    failure = per_slice.failures.add(message=gate.message)
    failure.metric_key.name, failure.metric_key.output_name = gate.metric, gate.task
    if gate.value is not None:
        failure.metric_value.double_value.value = gate.value
    if gate.lower is not None:
        failure.metric_threshold.value_threshold.lower_bound.value = gate.lower
    if gate.upper is not None:
        failure.metric_threshold.value_threshold.upper_bound.value = gate.upper
    if gate.change is not None:
        failure.metric_threshold.change_threshold.absolute.value = -gate.change


def _fill_key(key: Any, slice_: Mapping[str, str]) -> None:
    for column, value in slice_.items():
        key.single_slice_keys.add(column=column, bytes_value=value.encode())


def _add(
    message: metrics_for_slice_pb2.MetricsForSlice,
    task: str,
    metrics: Mapping[str, Value],
    intervals: Mapping[str, Interval],
) -> None:
    for name, value in metrics.items():
        if value is None:
            continue
        added = message.metric_keys_and_values.add()
        added.key.name, added.key.output_name = name, task
        added.value.double_value.value = value
        interval = intervals.get(name)
        if interval is not None and not interval.why:
            # As TFMA writes its own intervals: beside the value, which remains a number for every reader.
            for field in ("lower_bound", "upper_bound", "standard_error"):
                bound = getattr(interval, field.removesuffix("_bound"))
                getattr(added.confidence_interval, field).double_value.value = bound


def _write_records(path: str, messages: Iterable[Any]) -> None:
    with whole_file(path) as temporary, tf.io.TFRecordWriter(temporary) as writer:
        for message in messages:
            writer.write(message.SerializeToString(deterministic=True))
