"""FeatureEncoder: ids, lists of ids and numbers become one vector for each example."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

PADDING = -1
"""Fills up the rows of a multi-valued column; contributes nothing."""


@keras.saving.register_keras_serializable(package="gatewise")
class FeatureEncoder(keras.layers.Layer):
    """Looks ids up in embedding tables, pools lists of them, and puts everything side by side.

    Id 0 is the explicit "missing" id and has a row like any other. In lists, -1 is padding and contributes nothing;
    an empty list gives zeros.

    Args:
        tables: {name: (rows, dim)} of the embedding tables.
        categorical: the table of each column of the categorical matrix; columns of one table share it.
        multivalued: {feature: (table, pooling)}, pooling one of mean, sum, max, sqrtn (sum / sqrt(length)).
        numeric: number of columns of the numeric matrix.

    Call: a dict -> (batch, dim), dim = the columns' table dims, then the lists' (in the order given), then numeric:
        "categorical": (batch, column) int32
        "multivalued/<feature>": (batch, length) int32, padded with -1
        "numeric": (batch, numeric) float32
        A key whose part is empty is absent.

    Raises:
        ValueError: an unknown table or pooling, or no input at all.
    """

    def __init__(
        self,
        tables: Mapping[str, tuple[int, int]],
        categorical: tuple[str, ...] = (),
        multivalued: Mapping[str, tuple[str, str]] | None = None,
        numeric: int = 0,
        **layer: Any,
    ) -> None:
        super().__init__(**layer)
        # Tuples of pairs, because Keras wraps dictionaries that are set as attributes.
        self.tables = tuple((name, (int(rows), int(dim))) for name, (rows, dim) in tables.items())
        self.categorical = tuple(categorical)
        self.multivalued = tuple((name, (table, how)) for name, (table, how) in (multivalued or {}).items())
        self.numeric = numeric
        used = [*self.categorical, *(table for _, (table, _) in self.multivalued)]
        if unknown := sorted(set(used) - set(tables)):
            raise ValueError(f"FeatureEncoder: no embedding table for {unknown}; tables: {sorted(tables)}.")
        if unknown := sorted({how for _, (_, how) in self.multivalued} - set(_POOLINGS)):
            raise ValueError(f"FeatureEncoder: unknown pooling {unknown}; known: {sorted(_POOLINGS)}.")
        if not used and not numeric:
            raise ValueError("FeatureEncoder: no categorical, multivalued or numeric input; give at least one.")
        dims = {name: dim for name, (_, dim) in self.tables}
        self.dim = sum(dims[table] for table in used) + numeric
        """Width of the output."""

    def build(self, input_shape: Any = None) -> None:
        self.embeddings = [
            self.add_weight(shape=shape, initializer=keras.initializers.RandomUniform(), name=f"{name}_table")
            for name, shape in self.tables
        ]

    def call(self, features: Mapping[str, Any]) -> Any:
        table = {name: rows for (name, _), rows in zip(self.tables, self.embeddings, strict=True)}
        parts = [
            ops.take(table[name], features["categorical"][:, column], axis=0)
            for column, name in enumerate(self.categorical)
        ]
        parts += [pooled(table[name], features[f"multivalued/{key}"], how) for key, (name, how) in self.multivalued]
        if self.numeric:
            parts.append(ops.cast(features["numeric"], self.compute_dtype))
        return ops.cast(ops.concatenate(parts, axis=-1), self.compute_dtype)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return (next(iter(input_shape.values()))[0], self.dim)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "tables": dict(self.tables),
            "categorical": self.categorical,
            "multivalued": dict(self.multivalued),
            "numeric": self.numeric,
        }


def pooled(table: Any, ids: Any, how: str) -> Any:
    """Rows of a table, pooled over each list.

    Args:
        table: (rows, dim).
        ids: (batch, length), -1 is padding.
        how: mean, sum, max or sqrtn.

    Returns:
        (batch, dim); zeros where a list has nothing but padding.
    """
    present = ops.expand_dims(ids != PADDING, -1)  # (batch, length, 1)
    rows = ops.take(table, ops.maximum(ids, 0), axis=0)  # (batch, length, dim)
    count = ops.sum(ops.cast(present, rows.dtype), axis=1)  # (batch, 1)
    return _POOLINGS[how](rows, present, count)


def _sum(rows: Any, present: Any, count: Any) -> Any:
    return ops.sum(ops.where(present, rows, 0), axis=1)


def _mean(rows: Any, present: Any, count: Any) -> Any:
    return _sum(rows, present, count) / ops.maximum(count, 1)


def _sqrtn(rows: Any, present: Any, count: Any) -> Any:
    return _sum(rows, present, count) / ops.sqrt(ops.maximum(count, 1))


def _max(rows: Any, present: Any, count: Any) -> Any:
    lowest = ops.where(present, rows, -float("inf"))
    return ops.where(count > 0, ops.max(lowest, axis=1), 0)


_POOLINGS = {"mean": _mean, "sum": _sum, "max": _max, "sqrtn": _sqrtn}
