"""Summaries as TFDV's protos, with the fields that `tfdv.GenerateStatistics` fills without weights and without a schema."""

from __future__ import annotations

from collections.abc import Mapping

from tensorflow_metadata.proto.v0 import statistics_pb2

from components.statistics.frequencies import Frequencies, most_frequent
from components.statistics.numbers import Numbers
from components.statistics.quantiles import median, quantiles_histogram, standard_histogram
from components.statistics.summary import STRING, Summary
from models.recipe.checks.served_names import OWN

STATISTICS_FILE = "FeatureStats.pb"
"""The stock file name, which readers of `ExampleStatistics` expect."""
CATEGORIES_FILE = "IntegerCategories.pb"
"""Value counts of the integer id columns, if there are any."""

# TFDV's defaults.
TOP_VALUES = 20
RANKS = 1000
NOT_UTF8 = "__BYTES_VALUE__"

UNDERCOUNT = f"{OWN}undercount"
"""Custom statistic of a column with more values than are counted exactly: by how much a count may be too low; `unique`
is then an estimate with a standard error of 0.8 %."""
CELL_WIDTH = f"{OWN}cell_width"
"""Custom statistic of a column with more numbers than are counted exactly: by how much, relative to itself, a quantile
may be too low, and a limit between histogram buckets off."""


def dataset(
    rows: int, summaries: Mapping[str, Summary], as_categories: bool = False
) -> statistics_pb2.DatasetFeatureStatisticsList:
    """The statistics of one split.

    Args:
        rows: examples.
        summaries: by column, in the order in which they are to stand.
        as_categories: ids are categories; else they are numbers, as TFDV takes every integer without a schema.
    """
    result = statistics_pb2.DatasetFeatureStatisticsList()
    statistics = result.datasets.add(num_examples=rows)
    for name, summary in summaries.items():
        feature(rows, summary, as_categories, statistics.features.add(type=summary.type)).path.step.append(name)
    return result


def feature(
    rows: int,
    summary: Summary,
    as_categories: bool,
    result: statistics_pb2.FeatureNameStatistics,
) -> statistics_pb2.FeatureNameStatistics:
    """Fills `result`, and returns it; arguments as of `dataset`."""
    if summary.frequencies is not None and (summary.type == STRING or as_categories):
        _common(rows, summary, result.string_stats.common_stats)
        if summary.values:
            _strings(summary, summary.frequencies, result.string_stats)
        if summary.frequencies.hashes is not None:
            result.custom_stats.add(name=UNDERCOUNT, num=summary.frequencies.undercount)
    elif summary.numbers is not None:
        _common(rows, summary, result.num_stats.common_stats)
        if summary.values:
            _numbers(summary.values, summary.numbers, result.num_stats)
        if summary.numbers.cells.shift:
            result.custom_stats.add(name=CELL_WIDTH, num=summary.numbers.cells.relative_width)
    return result


def _common(rows: int, summary: Summary, result: statistics_pb2.CommonStatistics) -> None:
    result.num_non_missing, result.num_missing = summary.present, rows - summary.present
    result.tot_num_values = summary.values
    if not summary.present:
        return
    lengths = summary.lengths
    result.min_num_values, result.max_num_values = int(lengths.lows[0]), int(lengths.lows[-1])
    result.avg_num_values = summary.values / summary.present
    result.num_values_histogram.CopyFrom(quantiles_histogram(lengths.lows, lengths.counts))


def _strings(summary: Summary, frequencies: Frequencies, result: statistics_pb2.StringStatistics) -> None:
    result.unique = frequencies.unique
    result.avg_length = summary.characters / summary.values
    result.invalid_utf8_count = summary.invalid
    values, counts = most_frequent(frequencies.counts, RANKS)
    for rank, (value, count) in enumerate(zip(values, counts, strict=True)):
        label = _label(value)
        if rank < TOP_VALUES:
            result.top_values.add(value=label, frequency=count)
        result.rank_histogram.buckets.add(low_rank=rank, high_rank=rank, sample_count=count, label=label)


def _label(value: bytes | int) -> str:
    if isinstance(value, int):
        return str(value)
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return NOT_UTF8


def _numbers(total: int, numbers: Numbers, result: statistics_pb2.NumericStatistics) -> None:
    if total == numbers.nans:
        for kind in (statistics_pb2.Histogram.STANDARD, statistics_pb2.Histogram.QUANTILES):
            result.histograms.add(type=kind, num_nan=numbers.nans)
        return
    result.mean, result.std_dev = numbers.mean, numbers.deviation
    result.min, result.max = numbers.smallest, numbers.largest
    result.num_zeros = numbers.zeros
    values, counts = numbers.counted()
    result.median = median(values, counts)
    histograms = (
        standard_histogram(
            numbers.cells.lows, numbers.cells.counts, numbers.ends, below=numbers.below, above=numbers.above
        ),
        quantiles_histogram(values, counts),
    )
    for histogram in histograms:
        histogram.num_nan = numbers.nans
        result.histograms.add().CopyFrom(histogram)
