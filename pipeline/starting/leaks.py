"""Columns that know the label: copies of it, and values that are logged only after the impression."""

from __future__ import annotations

import polars as pl

from pipeline.starting import words

_ERRORS = 0.02
_LEAST_POSITIVES = 20
_MOST_VALUES = 50


def leak_of(frame: pl.DataFrame, column: str, labels: dict[str, str]) -> str | None:
    """Why a column leaks a label; None if it does not.

    A column leaks if its name says that it is known only after the impression (`clicked`, `dwell_seconds`), or if a rule of its values
    errs in at most 2 % as many rows as are positive. The rule predicts the more frequent label of each value; of a column with more
    than 50 values, of missing, zero and other values.

    Args:
        frame: the examples.
        column: the column.
        labels: task -> column of `frame` with its label as a truth value.
    """
    if words.is_known_after(column):
        return "its name says that it is known only after the impression"
    values = frame[column]
    if values.dtype.is_nested():
        coded = values.list.len().fill_null(-1).clip(-1, 1).cast(pl.String)
    elif values.n_unique() <= _MOST_VALUES:
        coded = values.cast(pl.String).fill_null("\0")
    elif values.dtype.is_numeric():
        coded = values.sign().cast(pl.Int64, strict=False).cast(pl.String).fill_null("\0")
    else:
        coded = values.is_null().cast(pl.String)
    if coded.n_unique() < 2:
        return None
    for task, label in labels.items():
        known = pl.DataFrame({"code": coded, "label": frame[label]}).drop_nulls("label")
        positives = int(known["label"].sum())
        negatives = known.height - positives
        if min(positives, negatives) < _LEAST_POSITIVES:
            continue
        counts = known.group_by("code").agg(pl.col("label").sum().alias("positive"), pl.len())
        errors = counts.select(pl.min_horizontal(pl.col("positive"), pl.col("len") - pl.col("positive")).sum()).item()
        if errors <= _ERRORS * min(positives, negatives):
            return f"its values tell the label of {task} in {1 - errors / known.height:.2%} of the rows"
    return None
