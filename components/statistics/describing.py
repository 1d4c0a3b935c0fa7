"""What is kept of some rows while they are described: TFDV's own accumulators, made from large batches.

    describe(batches) -> Described; merge(parts) -> Described; conclude(described) -> the statistics

TFDV's sketches take arrays; its stock Beam path makes a Python object of every text instead. Exact are the counts, means,
deviations, smallest and largest values and lengths. Of a column's distinct values the frequencies are exact up to
EXACT_COUNTS of them, their number up to EXACT_DISTINCT; beyond, a frequency is too small by at most the number of values /
EXACT_COUNTS, and the number of distinct values is an estimate with a relative standard error of
1 / sqrt(EXACT_DISTINCT), 0.8%. Texts of more than 1,024 bytes count as one frequent value, `__LARGE_BYTES__`. The
quantiles' ranks are off by at most 1% of the values, as in all of TFDV. What is not exact may differ in these bounds with
the order in which the parts are merged, which a distributed runner chooses.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa
from tensorflow_data_validation import StatsOptions
from tensorflow_data_validation.statistics.generators.basic_stats_generator import BasicStatsGenerator
from tensorflow_data_validation.statistics.generators.top_k_uniques_sketch_stats_generator import (
    TopKUniquesSketchStatsGenerator,
)
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2
from tfx_bsl.statistics.merge_util import merge_dataset_feature_statistics

EXACT_COUNTS = 4_096
EXACT_DISTINCT = 16_384

Described = list[Any]
"""An accumulator of each of TFDV's generators."""


class Describer:
    """Describes rows of one kind of examples.

    Args:
        integer_categories: columns of whole numbers whose values are to be counted; others are quantities only.
    """

    def __init__(self, integer_categories: Sequence[str] = ()) -> None:
        options = StatsOptions()
        self._basic = BasicStatsGenerator(
            num_values_histogram_buckets=options.num_values_histogram_buckets,
            num_histogram_buckets=options.num_histogram_buckets,
            num_quantiles_histogram_buckets=options.num_quantiles_histogram_buckets,
            epsilon=options.epsilon,
        )
        self._values = TopKUniquesSketchStatsGenerator(
            schema=integer_schema(integer_categories),
            num_top_values=options.num_top_values,
            num_rank_histogram_buckets=options.num_rank_histogram_buckets,
            frequency_threshold=options.frequency_threshold,
            num_misragries_buckets=EXACT_COUNTS,
            num_kmv_buckets=EXACT_DISTINCT,
            # A count of the texts' lengths for Beam's metrics, at random and value by value.
            length_counter_sampling_rate=0.0,
        )
        self._integer_categories = frozenset(integer_categories)

    def describe(self, batches: Iterable[pa.RecordBatch]) -> Described:
        """The rows of all batches, of which there is at least one; every column is a list."""
        generators = (self._basic, self._values)
        described = [generator.create_accumulator() for generator in generators]
        for batch in batches:
            described = [generator.add_input(one, batch) for generator, one in zip(generators, described, strict=True)]
        return described

    def merge(self, parts: Iterable[Described]) -> Described:
        """All parts' rows together; at least one part. They are used up."""
        return [
            generator.merge_accumulators(of_one)
            for generator, of_one in zip((self._basic, self._values), zip(*parts, strict=True), strict=True)
        ]

    def conclude(
        self, described: Described
    ) -> tuple[statistics_pb2.DatasetFeatureStatisticsList, statistics_pb2.DatasetFeatureStatisticsList]:
        """(statistics of all columns, integers as quantities; those of the integer categories with their values counted).

        TFDV would give the latter the mean number of their digits, too; here they have none.
        """
        basic, values = (
            generator.extract_output(generator.compact(one))
            for generator, one in zip((self._basic, self._values), described, strict=True)
        )
        counted = {feature.path.step[0]: feature for feature in values.features}
        del values.features[:]
        values.features.extend(one for name, one in counted.items() if name not in self._integer_categories)
        categories = statistics_pb2.DatasetFeatureStatisticsList()
        dataset = categories.datasets.add(num_examples=basic.num_examples)
        for feature in basic.features:
            name = feature.path.step[0]
            if name in self._integer_categories:
                category = dataset.features.add(type=feature.type)
                category.path.CopyFrom(feature.path)
                category.string_stats.common_stats.CopyFrom(feature.num_stats.common_stats)
                if name in counted:  # else it has no value
                    category.MergeFrom(counted[name])
        return merge_dataset_feature_statistics([basic, values]), categories


def integer_schema(columns: Sequence[str]) -> schema_pb2.Schema:
    """A schema that makes TFDV count the values of integer columns: by itself it takes every integer for a quantity."""
    schema = schema_pb2.Schema()
    for name in columns:
        schema.feature.add(name=name, type=schema_pb2.INT).int_domain.is_categorical = True
    return schema
