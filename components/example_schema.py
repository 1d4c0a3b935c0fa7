"""The schema of the example files, shared by all stages: splits, gatewise's internal columns, column types."""

from __future__ import annotations

import pyarrow as pa

from models.recipe.checks.served_names import OWN

TRAIN, VALIDATE, EVAL = "train", "validate", "eval"
SPLITS = (TRAIN, VALIDATE, EVAL)
"""In the order of time: training, choice of the best epoch, metrics."""

EXAMPLE_ID, EVENT_ID, TIME = f"{OWN}example_id", f"{OWN}event_id", f"{OWN}event_time"
"""An example's number, the impression's id in its log, and its time in microseconds since 1970 UTC."""

LABEL, WEIGHT = "label/", "weight/"
"""Prefixes of a task's columns."""

ARROW_TYPES = {"bytes": pa.large_binary(), "int": pa.int64(), "float": pa.float32()}
"""`models.recipe.features.column_types` -> Arrow type of the values: each column is a list of one of tf.Example's three types."""


def label_of(task: str) -> str:
    """The column of a task's labels."""
    return LABEL + task


def weight_of(task: str) -> str:
    """The column of a task's weights; 0 if the label is not observed."""
    return WEIGHT + task
