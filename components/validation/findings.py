"""TFDV's anomalies as messages (column, expected, received), and the decision to continue or to stop the run."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from tensorflow_metadata.proto.v0 import anomalies_pb2, path_pb2, schema_pb2

from components.validation.plan import ValidationPlan
from models.recipe.errors import InputError

logger = logging.getLogger(__name__)

_ADVICE = {
    "schema": "If the data is right, correct the curated schema (validation.schema). To continue anyway, set "
    "validation.on_anomaly to warn.",
    "drift": "If the change is intended, raise the limit in validation.drift, or set validation.on_drift to warn for one "
    "run. That run then becomes the baseline of the next run.",
}

Reason: TypeAlias = anomalies_pb2.AnomalyInfo
_SHOWN_VALUES = 20


@dataclasses.dataclass(frozen=True, kw_only=True)
class Finding:
    """One violation of the schema or one drift. `kind` is "schema" or "drift"."""

    kind: str
    split: str
    column: str
    words: str

    def __str__(self) -> str:
        where = f"column {self.column!r}" if self.column else "all columns"
        return f"{where}, split {self.split}: {self.words}"


def schema_findings(anomalies: anomalies_pb2.Anomalies, schema: schema_pb2.Schema, split: str) -> list[Finding]:
    """A finding for each reason of each anomaly, sorted by column name.

    Args:
        anomalies: TFDV's anomalies of a split.
        schema: the schema they violate; the messages add its limits if TFDV's do not contain them.
        split: name of the split.
    """
    features = {feature.name: feature for feature in schema.feature}
    found = []
    for info in anomalies.anomaly_info.values():
        column = column_name(info.path)
        for words in _words(info, features.get(column), schema):
            found.append(Finding(kind="schema", split=split, column=column, words=words))
    if anomalies.HasField("dataset_anomaly_info"):
        for reason in anomalies.dataset_anomaly_info.reason:
            words = f"{reason.description.strip()} {_expected_of_all(reason.type, schema)}".strip()
            found.append(Finding(kind="schema", split=split, column="", words=words))
    return sorted(found, key=lambda finding: finding.column)


def column_name(path: path_pb2.Path) -> str:
    """The column of a path; our columns are never nested."""
    return ".".join(path.step)


def _words(info: Reason, feature: schema_pb2.Feature | None, schema: schema_pb2.Schema) -> Iterator[str]:
    reasons = [(reason.type, reason.description) for reason in info.reason]
    for kind, description in reasons or [(Reason.UNKNOWN_TYPE, info.description)]:
        words = description.strip().rstrip(".")
        expected = _expected(kind, feature, schema)
        yield f"{words}. {expected}".strip() if expected else f"{words}."


def _expected(kind: int, feature: schema_pb2.Feature | None, schema: schema_pb2.Schema) -> str:
    if kind == Reason.SCHEMA_NEW_COLUMN:
        return "Add it to the schema, or remove it from the recipe."
    if feature is None:
        return ""
    if kind == Reason.SCHEMA_MISSING_COLUMN:
        return f"Expected values in at least {feature.presence.min_fraction:.1%} of the examples."
    if kind == Reason.ENUM_TYPE_UNEXPECTED_STRING_VALUES:
        return f"Expected one of: {', '.join(_domain(feature, schema))}."
    if kind == Reason.INT_TYPE_BIG_INT:
        return f"Expected at most {feature.int_domain.max}."
    if kind == Reason.INT_TYPE_SMALL_INT:
        return f"Expected at least {feature.int_domain.min}."
    return ""


def _expected_of_all(kind: int, schema: schema_pb2.Schema) -> str:
    constraints = schema.dataset_constraints
    if kind == Reason.DATASET_LOW_NUM_EXAMPLES:
        return f"Expected at least {constraints.min_examples_count}."
    if kind == Reason.DATASET_HIGH_NUM_EXAMPLES:
        return f"Expected at most {constraints.max_examples_count}."
    return ""


def _domain(feature: schema_pb2.Feature, schema: schema_pb2.Schema) -> list[str]:
    if feature.HasField("string_domain"):
        values = list(feature.string_domain.value)
    else:
        values = [value for domain in schema.string_domain if domain.name == feature.domain for value in domain.value]
    more = [f"and {len(values) - _SHOWN_VALUES} more"] if len(values) > _SHOWN_VALUES else []
    return values[:_SHOWN_VALUES] + more


def decide(findings: Sequence[Finding], plan: ValidationPlan) -> None:
    """Logs the findings that only warn, and stops the run for the others.

    Violations of an inferred schema never stop the run, because the schema comes from the same statistics.

    Raises:
        InputError: at least one finding stops the run. Lists these findings, a remedy for each kind, and the warnings.
    """
    stop = stopping(findings, plan)
    warnings = [finding for finding in findings if finding not in stop]
    for finding in warnings:
        logger.warning("Validation: %s", finding)
    if stop:
        raise InputError(_message(stop, warnings))


def stopping(findings: Sequence[Finding], plan: ValidationPlan) -> list[Finding]:
    """The findings that stop the run, in their order."""
    action = {"schema": plan.on_anomaly if plan.curated else "warn", "drift": plan.on_drift}
    return [finding for finding in findings if action[finding.kind] == "stop"]


def _message(stopping: Sequence[Finding], warnings: Sequence[Finding]) -> str:
    kinds = {finding.kind for finding in stopping}
    what = {
        frozenset({"schema"}): "violate the curated schema",
        frozenset({"drift"}): "have drifted from those of the last good run",
    }.get(frozenset(kinds), "violate the curated schema and have drifted from those of the last good run")
    lines = [f"The examples {what}. No model was trained."]
    lines += [f"  - {finding}" for finding in stopping]
    if warnings:
        lines += ["Warnings:", *(f"  - {finding}" for finding in warnings)]
    lines += [_ADVICE[kind] for kind in ("schema", "drift") if kind in kinds]
    return "\n".join(lines)
