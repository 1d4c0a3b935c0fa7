"""Drift of each column since the last good run, measured by TFDV's comparators.

Texts and ids: L-infinity distance of the shares, max_v |share_now(v) - share_before(v)|. If the share of "phone" falls from
50 % to 20 %, the distance is 0.3. Numbers: Jensen-Shannon divergence of the histograms, from 0 (equal) to 1 (disjoint).
TFDV treats integers as quantities. The value counts of integer ids are in separate statistics (`Statistics`).
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping
from typing import TypeAlias

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

from components.validation.findings import Finding, column_name
from models.recipe.errors import InputError
from models.recipe.registry import known

logger = logging.getLogger(__name__)

LINFTY, JENSEN_SHANNON = "L-infinity distance of the shares", "Jensen-Shannon divergence"

Statistics: TypeAlias = statistics_pb2.DatasetFeatureStatisticsList
Columns: TypeAlias = Mapping[str, statistics_pb2.FeatureNameStatistics]


@dataclasses.dataclass(frozen=True, kw_only=True)
class SplitStatistics:
    """The statistics of one split: of all columns, and of integer id columns as categories (None if there are none)."""

    all: Statistics
    categories: Statistics | None = None

    def columns(self) -> dict[str, statistics_pb2.FeatureNameStatistics]:
        """Column -> its statistics; integer ids have those of categories."""
        found: dict[str, statistics_pb2.FeatureNameStatistics] = {}
        for statistics in (self.all, self.categories):
            for feature in statistics.datasets[0].features if statistics is not None else ():
                found[column_name(feature.path)] = feature
        return found


def check_columns(limits: Mapping[str, float], columns: Columns) -> None:
    """Refuses limits for columns that do not exist.

    Raises:
        InputError: a limit's column has no statistics; lists the columns that have some.
    """
    for name in limits:
        if name not in columns:
            raise InputError(f"validation.drift: the examples have no column {name!r}; {known(name, columns)}")


def check_drift(
    now: SplitStatistics, before: SplitStatistics, limits: Mapping[str, float], split: str
) -> tuple[anomalies_pb2.Anomalies, list[Finding]]:
    """Compares the columns that have a limit.

    A column that is new since the last good run, or changed its type, is logged and skipped.

    Args:
        now: this run's statistics of the split.
        before: the last good run's statistics of the split.
        limits: column -> largest distance.
        split: name of the split, for the messages.

    Returns:
        TFDV's anomalies with every distance in `drift_skew_info`, and a finding for each distance above its limit.

    Raises:
        InputError: a column with a limit has no statistics.
    """
    current, earlier = now.columns(), before.columns()
    check_columns(limits, current)
    compared = {}
    for name, limit in limits.items():
        if name not in earlier:
            logger.warning("Drift of column %r: not compared; the last good run did not have it.", name)
        elif _distance(earlier[name]) != _distance(current[name]):
            logger.warning("Drift of column %r: not compared; its type changed since the last good run.", name)
        else:
            compared[name] = limit
    if not compared:
        return anomalies_pb2.Anomalies(), []
    anomalies = tfdv.validate_statistics(
        _only(now.all, current, compared),
        drift_schema(compared, current),
        previous_statistics=_only(before.all, earlier, compared),
    )
    findings = []
    for info in anomalies.drift_skew_info:
        name = column_name(info.path)
        for measurement in info.drift_measurements:
            if measurement.value > measurement.threshold:
                words = _words(measurement, current[name], earlier[name])
                findings.append(Finding(kind="drift", split=split, column=name, words=words))
    for name in compared:
        # The largest possible drift. TFDV does not report it, because it has no shares to compare.
        if _values(earlier[name]) and not _values(current[name]):
            words = "drift since the last good run: it had values before and has none now."
            findings.append(Finding(kind="drift", split=split, column=name, words=words))
            info = anomalies.anomaly_info[name]
            info.path.step.append(name)
            info.severity, info.description, info.short_description = info.ERROR, words, "No values"
    return anomalies, sorted(findings, key=lambda finding: finding.column)


def drift_schema(limits: Mapping[str, float], columns: Columns) -> schema_pb2.Schema:
    """A schema that contains only the limits of drift."""
    schema = schema_pb2.Schema()
    for name, limit in limits.items():
        statistics = columns[name]
        feature = schema.feature.add(name=name, type=_TYPES[statistics.type])
        if _distance(statistics) == LINFTY:
            feature.drift_comparator.infinity_norm.threshold = limit
            if feature.type == schema_pb2.INT:
                feature.int_domain.is_categorical = True
        else:
            feature.drift_comparator.jensen_shannon_divergence.threshold = limit
    return schema


_TYPES = {
    statistics_pb2.FeatureNameStatistics.INT: schema_pb2.INT,
    statistics_pb2.FeatureNameStatistics.FLOAT: schema_pb2.FLOAT,
    statistics_pb2.FeatureNameStatistics.STRING: schema_pb2.BYTES,
    statistics_pb2.FeatureNameStatistics.BYTES: schema_pb2.BYTES,
}


def _distance(statistics: statistics_pb2.FeatureNameStatistics) -> str:
    return JENSEN_SHANNON if statistics.WhichOneof("stats") == "num_stats" else LINFTY


def _values(statistics: statistics_pb2.FeatureNameStatistics) -> int:
    """Number of examples with a value."""
    return getattr(statistics, statistics.WhichOneof("stats")).common_stats.num_non_missing


def _only(all_columns: Statistics, columns: Columns, names: Mapping[str, float]) -> Statistics:
    """The statistics of some columns. TFDV would report the others as missing in the schema."""
    chosen = statistics_pb2.DatasetFeatureStatisticsList()
    dataset = chosen.datasets.add()
    dataset.CopyFrom(all_columns.datasets[0])
    del dataset.features[:]
    dataset.features.extend(columns[name] for name in names)
    return chosen


def _words(
    measurement: anomalies_pb2.DriftSkewInfo.Measurement,
    now: statistics_pb2.FeatureNameStatistics,
    before: statistics_pb2.FeatureNameStatistics,
) -> str:
    distance = _distance(now)
    words = f"drift since the last good run: {distance} {measurement.value:.4g}, above the limit {measurement.threshold:.4g}"
    if distance == JENSEN_SHANNON:
        return f"{words}; mean {before.num_stats.mean:.4g} before, {now.num_stats.mean:.4g} now."
    current, earlier = _shares(now), _shares(before)
    labels = sorted(set(current) | set(earlier))
    # rounded: of two values with equal changes, the first is named, whatever the last bit
    value = max(labels, key=lambda label: round(abs(current.get(label, 0.0) - earlier.get(label, 0.0)), 9))
    return f"{words}; largest change at {value!r}: {earlier.get(value, 0.0):.2%} of the values before, {current.get(value, 0.0):.2%} now."


def _shares(statistics: statistics_pb2.FeatureNameStatistics) -> dict[str, float]:
    total = max(1, statistics.string_stats.common_stats.tot_num_values)
    return {bucket.label: bucket.sample_count / total for bucket in statistics.string_stats.rank_histogram.buckets}
