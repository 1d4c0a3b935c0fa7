"""How far each column moved since the last good run, by TFDV's comparators.

Texts and ids: the L-infinity distance of the shares, max_v |share_now(v) - share_before(v)|: "phone went from 50 % to 20 %"
is 0.3. Numbers: the Jensen-Shannon divergence of the histograms, 0 (equal) to 1 (nothing in common).
TFDV takes integers for quantities; the counted values of integer ids stand in their own statistics (`Statistics`).
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
    """The statistics of one split: of all columns, and of the columns of integer ids as categories (None without any)."""

    all: Statistics
    categories: Statistics | None = None

    def columns(self) -> dict[str, statistics_pb2.FeatureNameStatistics]:
        """Column -> its statistics; of integer ids those as categories."""
        found: dict[str, statistics_pb2.FeatureNameStatistics] = {}
        for statistics in (self.all, self.categories):
            for feature in statistics.datasets[0].features if statistics is not None else ():
                found[column_name(feature.path)] = feature
        return found


def check_columns(limits: Mapping[str, float], columns: Columns) -> None:
    """Refuses limits for columns that are not there.

    Raises:
        InputError: names every such column and the columns that have statistics.
    """
    for name in limits:
        if name not in columns:
            raise InputError(f"validation.drift: the examples have no column {name!r}; {known(name, columns)}")


def check_drift(
    now: SplitStatistics, before: SplitStatistics, limits: Mapping[str, float], split: str
) -> tuple[anomalies_pb2.Anomalies, list[Finding]]:
    """Compares the columns that have a limit.

    A column that the earlier run did not have, or had with another type, is logged and left out.

    Args:
        now: this run's statistics of the split.
        before: the last good run's.
        limits: column -> largest distance.
        split: name of the split, for the words.

    Returns:
        TFDV's anomalies with every distance in `drift_skew_info`, and the distances beyond their limits in words.

    Raises:
        InputError: a column with a limit has no statistics.
    """
    current, earlier = now.columns(), before.columns()
    check_columns(limits, current)
    compared = {}
    for name, limit in limits.items():
        if name not in earlier:
            logger.warning("Drift of column %r: the last good run did not have it; not compared.", name)
        elif _distance(earlier[name]) != _distance(current[name]):
            logger.warning("Drift of column %r: its type changed since the last good run; not compared.", name)
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
        # The largest drift there is, of which TFDV says nothing: it has no shares to compare.
        if _values(earlier[name]) and not _values(current[name]):
            words = "drift since the last good run: it has no value at all now, and had some before."
            findings.append(Finding(kind="drift", split=split, column=name, words=words))
            info = anomalies.anomaly_info[name]
            info.path.step.append(name)
            info.severity, info.description, info.short_description = info.ERROR, words, "No values"
    return anomalies, sorted(findings, key=lambda finding: finding.column)


def drift_schema(limits: Mapping[str, float], columns: Columns) -> schema_pb2.Schema:
    """A schema that asks for nothing but the limits of drift."""
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
    """How many examples have a value."""
    return getattr(statistics, statistics.WhichOneof("stats")).common_stats.num_non_missing


def _only(all_columns: Statistics, columns: Columns, names: Mapping[str, float]) -> Statistics:
    """The statistics of some columns; TFDV would report every other one as not in the schema."""
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
    words = f"drift since the last good run: {distance} {measurement.value:.4g}, beyond the limit {measurement.threshold:.4g}"
    if distance == JENSEN_SHANNON:
        return f"{words}; mean {before.num_stats.mean:.4g} before, {now.num_stats.mean:.4g} now."
    current, earlier = _shares(now), _shares(before)
    labels = sorted(set(current) | set(earlier))
    # rounded: of two values that moved equally far the first is named, whatever the last bit says
    value = max(labels, key=lambda label: round(abs(current.get(label, 0.0) - earlier.get(label, 0.0)), 9))
    return f"{words}; most at {value!r}: {earlier.get(value, 0.0):.2%} before, {current.get(value, 0.0):.2%} of the values now."


def _shares(statistics: statistics_pb2.FeatureNameStatistics) -> dict[str, float]:
    total = max(1, statistics.string_stats.common_stats.tot_num_values)
    return {bucket.label: bucket.sample_count / total for bucket in statistics.string_stats.rank_histogram.buckets}
