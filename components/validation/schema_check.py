"""Compares the statistics of a split with the schema, by TFDV."""

from __future__ import annotations

from typing import TypeAlias

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

from components.example_schema import LABEL, WEIGHT
from components.validation.findings import column_name

Statistics: TypeAlias = statistics_pb2.DatasetFeatureStatisticsList


def with_task_columns(schema: schema_pb2.Schema, statistics: Statistics) -> schema_pb2.Schema:
    """A copy of the schema with the labels and weights of the statistics added: they come from the recipe's tasks, not the data.

    Otherwise a task added to the recipe would be reported as an unexpected new column.
    """
    complete = schema_pb2.Schema()
    complete.CopyFrom(schema)
    known = {feature.name for feature in schema.feature}
    for feature in statistics.datasets[0].features:
        name = column_name(feature.path)
        if name.startswith((LABEL, WEIGHT)) and name not in known:
            complete.feature.add(name=name, type=schema_pb2.FLOAT)
    return complete


def check_schema(statistics: Statistics, schema: schema_pb2.Schema) -> anomalies_pb2.Anomalies:
    """TFDV's anomalies of one split's statistics: unknown values, wrong types, missing columns and values, and so on."""
    return tfdv.validate_statistics(statistics, with_task_columns(schema, statistics))
