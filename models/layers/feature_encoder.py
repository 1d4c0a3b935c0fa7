"""FeatureEncoder: encodes ids, lists of ids and numbers as one vector per example."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

import keras
from keras import ops

from models.layers.fused_tables import PADDING_ROW, Reader, fuse
from models.layers.input_names import input_of
from models.layers.pooling import POOLINGS, pooled

PADDING = -1
"""Pads the rows of a multi-valued column; contributes nothing."""


@keras.saving.register_keras_serializable(package="gatewise")
class FeatureEncoder(keras.layers.Layer):
    """Looks up ids in embedding tables, pools lists of ids, and concatenates the results.

    Id 0 is the explicit "missing" id and has a row like any other. In lists, -1 is padding and contributes nothing;
    an empty list gives zeros.

    Tables of one width are one variable (`fused`), with one gather for all of their columns and lists. A training step that
    updates only the rows of the batch splits the call, to take the gradient with respect to the gathered rows:
    `assemble(gather(row_ids(features)), row_ids(features), features)` is the call.

    Args:
        tables: {name: (rows, dim)} of the embedding tables.
        categorical: {feature: table} of each column of the categorical matrix. Columns may share a table.
        multivalued: {feature: (table, pooling)}, pooling one of mean, sum, max, sqrtn (sum / sqrt(length)).
        numeric: names of the columns of the numeric matrix. `feature/component` is one of several columns of a feature; they
            are side by side.
        quotient_remainder: multi-valued features with two ids per value. The embedding of a value is the sum of the rows
            of its two ids.
        copies: number of embeddings of each value, side by side in one row of the table. `assemble` reads one of them.

    Call: a dict -> (batch, dim), dim = the columns' table dims, then the lists' (in the order given), then numeric:
        "categorical": (batch, column) int32
        "multivalued/<feature>": (batch, length) int32, padded with -1; (batch, 2 length) for a quotient-remainder feature
        "numeric": (batch, numeric) float32
        A key without columns is absent.

    Raises:
        ValueError: an unknown table, pooling or quotient-remainder feature, or no input at all.
    """

    def __init__(
        self,
        tables: Mapping[str, tuple[int, int]],
        categorical: Mapping[str, str] | None = None,
        multivalued: Mapping[str, tuple[str, str]] | None = None,
        numeric: Sequence[str] = (),
        quotient_remainder: tuple[str, ...] = (),
        copies: int = 1,
        **layer: Any,
    ) -> None:
        super().__init__(**layer)
        # Tuples of pairs, because Keras wraps dictionaries that are set as attributes.
        self.tables = tuple((name, (int(rows), int(dim))) for name, (rows, dim) in tables.items())
        self.categorical = tuple((categorical or {}).items())
        self.multivalued = tuple((name, (table, how)) for name, (table, how) in (multivalued or {}).items())
        self.numeric = tuple(numeric)
        self.quotient_remainder = tuple(quotient_remainder)
        self.copies = copies
        used = [*(table for _, table in self.categorical), *(table for _, (table, _) in self.multivalued)]
        if unknown := sorted(set(used) - set(tables)):
            raise ValueError(f"FeatureEncoder: no embedding table for {unknown}; tables: {sorted(tables)}.")
        if unknown := sorted({how for _, (_, how) in self.multivalued} - set(POOLINGS)):
            raise ValueError(f"FeatureEncoder: unknown pooling {unknown}; known: {sorted(POOLINGS)}.")
        if unknown := sorted(set(self.quotient_remainder) - {name for name, _ in self.multivalued}):
            raise ValueError(f"FeatureEncoder: quotient_remainder {unknown} are not among the multi-valued features.")
        if not used and not self.numeric:
            raise ValueError("FeatureEncoder: no categorical, multivalued or numeric input; give at least one.")
        readers = [
            *(Reader(table, column=column) for column, (_, table) in enumerate(self.categorical)),
            *(Reader(table, feature=name) for name, (table, _) in self.multivalued),
        ]
        self.fused = fuse(dict(self.tables), readers)
        dims = {name: dim for name, (_, dim) in self.tables}
        self.dim = sum(dims[table] for table in used) + len(self.numeric)
        """Width of the output."""
        widths = [
            *((name, dims[table]) for name, table in self.categorical),
            *((name, dims[table]) for name, (table, _) in self.multivalued),
            *((name, len(list(columns))) for name, columns in groupby(map(input_of, self.numeric))),
        ]
        ends = itertools.accumulate(width for _, width in widths)
        self.slices = tuple((name, end - width, end) for (name, width), end in zip(widths, ends, strict=True))
        """(feature, start, end) of each input's columns of the output."""
        self.fields = tuple(dims[table] for table in used)
        """Widths of the embeddings, which come first in the output."""
        self.fill: Callable[[Any], Any] = lambda initializer: initializer
        """Wraps the initializers of the tables. A backend may replace it by one that needs less memory."""

    def build(self, input_shape: Any = None) -> None:
        # No cast in mixed precision, which would be a pass over the whole table.
        self.embeddings = [
            self.add_weight(
                shape=shape,
                initializer=self.fill(keras.initializers.RandomUniform()),
                autocast=False,
                name=f"embeddings_{table.dim}_table",
            )
            for table, shape in zip(self.fused, self.table_shapes, strict=True)
        ]

    @property
    def table_shapes(self) -> list[tuple[int, int]]:
        """(rows, width) of the variable of each fused table."""
        return [(table.rows, table.dim * self.copies) for table in self.fused]

    def call(self, features: Mapping[str, Any]) -> Any:
        ids = self.row_ids(features)
        return self.assemble(self.gather(ids), ids, features)

    def row_ids(self, features: Mapping[str, Any]) -> list[Any]:
        """The rows of each fused table that the batch reads: (batch, position) int32, PADDING_ROW for padding."""
        return [
            ops.concatenate(
                [_row_ids(reader, table.offsets[reader.table], features) for reader in table.readers], axis=1
            )
            for table in self.fused
        ]

    def gather(self, row_ids: Sequence[Any]) -> list[Any]:
        """Gathers the rows of each fused table: (batch, position, width)."""
        return [ops.take(table.value, ids, axis=0) for table, ids in zip(self.embeddings, row_ids, strict=True)]

    def assemble(self, rows: Sequence[Any], row_ids: Sequence[Any], features: Mapping[str, Any], copy: int = 0) -> Any:
        """(batch, dim): concatenates the gathered and pooled rows, of one of their copies, and the numbers."""
        how = {name: pooling for name, (_, pooling) in self.multivalued}
        parts: dict[int | str, Any] = {}
        for table, its_rows, its_ids in zip(self.fused, rows, row_ids, strict=True):
            cast, start = self._copy(its_rows, table.dim, copy), 0
            for run in _runs(table.readers):
                end = start + sum(_width(reader, features) for reader in run)
                part, reader = cast[:, start:end], run[0]
                if reader.column is not None:
                    parts[reader.column] = ops.reshape(part, (-1, len(run) * table.dim))
                else:
                    present = its_ids[:, start:end] != PADDING_ROW
                    if reader.feature in self.quotient_remainder:
                        part, present = _sum_of_pairs(part, present, table.dim)
                    parts[reader.feature] = pooled(part, present, how[reader.feature])
                start = end
        columns: list[int | str] = sorted(key for key in parts if isinstance(key, int))
        side_by_side = [parts[key] for key in [*columns, *how]]
        if self.numeric:
            side_by_side.append(ops.cast(features["numeric"], self.compute_dtype))
        return ops.concatenate(side_by_side, axis=-1)

    def unpooled(
        self, rows: Sequence[Any], row_ids: Sequence[Any], features: Mapping[str, Any], names: Sequence[str]
    ) -> dict[str, tuple[Any, Any]]:
        """{feature: ((batch, length, dim), (batch, length) bool)}: unpooled embeddings of lists, and a mask of their values."""
        found = {}
        for table, its_rows, its_ids in zip(self.fused, rows, row_ids, strict=True):
            start = 0
            for reader in table.readers:
                end = start + _width(reader, features)
                if reader.feature in names:
                    part = self._copy(its_rows[:, start:end], table.dim, 0)
                    present = its_ids[:, start:end] != PADDING_ROW
                    if reader.feature in self.quotient_remainder:
                        part, present = _sum_of_pairs(part, present, table.dim)
                    found[reader.feature] = part, present
                start = end
        return found

    def _copy(self, rows: Any, dim: int, copy: int) -> Any:
        """One copy of the embeddings in gathered rows: (batch, position, width) -> (batch, position, dim)."""
        own = rows if self.copies == 1 else rows[..., copy * dim : (copy + 1) * dim]
        return ops.cast(own, self.compute_dtype)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return (next(iter(input_shape.values()))[0], self.dim)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "tables": dict(self.tables),
            "categorical": dict(self.categorical),
            "multivalued": dict(self.multivalued),
            "numeric": self.numeric,
            "quotient_remainder": self.quotient_remainder,
            "copies": self.copies,
        }


def _row_ids(reader: Reader, offset: int, features: Mapping[str, Any]) -> Any:
    """(batch, position): rows of a fused table that a column or list reads."""
    if reader.column is not None:
        return features["categorical"][:, reader.column : reader.column + 1] + offset
    ids = features[f"multivalued/{reader.feature}"]
    return ops.where(ids == PADDING, PADDING_ROW, ids + offset)


def _width(reader: Reader, features: Mapping[str, Any]) -> int:
    return 1 if reader.column is not None else features[f"multivalued/{reader.feature}"].shape[1]


def _runs(readers: Sequence[Reader]) -> list[list[Reader]]:
    """Groups columns that are adjacent in the output, which need one slice. Each list is its own group."""
    keys = [
        (reader.feature, -1 if reader.column is None else reader.column - position)
        for position, reader in enumerate(readers)
    ]
    runs = groupby(range(len(readers)), keys.__getitem__)
    return [[readers[position] for position in run] for _, run in runs]


def _sum_of_pairs(rows: Any, present: Any, dim: int) -> tuple[Any, Any]:
    """(batch, 2 length, dim), (batch, 2 length) -> (batch, length, dim), (batch, length)."""
    length = present.shape[1] // 2
    rows = ops.where(ops.expand_dims(present, -1), rows, 0)
    pairs = ops.sum(ops.reshape(rows, (-1, length, 2, dim)), axis=2)
    return pairs, present[:, ::2]
