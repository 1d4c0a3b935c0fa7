"""Raw columns inside the graph: functions per value, and the reduction of a row's values to one value or a list.

A row has any number of values. The values are contiguous, each with its row number. All columns share a few operations:
a graph of forty features is built, saved and loaded for every model, and an operation costs as much there as thousands of
values.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import tensorflow as tf

from models.features.value_texts import BOOLEANS, REWRITTEN, WHOLE


@dataclasses.dataclass(frozen=True)
class Column:
    """The values of one column.

    Attributes:
        rows: (value,) int64: row of each value, ascending.
        values: (value,) values; or, with `places`, (distinct,) distinct values in any order.
        places: (value,) int32: index of each value in `values`.
    """

    rows: tf.Tensor
    values: tf.Tensor
    places: tf.Tensor | None = None

    @classmethod
    def of(cls, column: tf.SparseTensor) -> Column:
        """A sparse (batch, value) column."""
        return cls(tf.unstack(column.indices, num=2, axis=1)[0], column.values)

    def each(self, function: Callable[[tf.Tensor], tf.Tensor]) -> tf.Tensor:
        """(value,): applies the function to every value, or once per distinct value if these are known."""
        found = function(self.values)
        return found if self.places is None else tf.gather(found, self.places)


def first_values(rows: Sequence[tf.Tensor], values: Sequence[tf.Tensor], missing: float, batch: tf.Tensor) -> tf.Tensor:
    """(column, batch): first value in each row of each column, or `missing`.

    Skips values that equal `missing`, except NaN, which equals nothing.

    Args:
        rows: (value,) int64 for each column.
        values: (value,) for each column, all of one type.
        missing: marker of a missing value.
        batch: () int64: number of rows.
    """
    starts = tf.unstack(tf.range(len(rows), dtype=tf.int64) * batch, num=len(rows))
    cells = tf.concat([row + start for row, start in zip(rows, starts, strict=True)], axis=0)
    # One extra entry for cells without a value.
    several = tf.concat([*values, tf.constant([missing], values[0].dtype)], axis=0)
    last = tf.size(cells, out_type=tf.int64)
    order = tf.range(last)
    if several.dtype.is_integer:
        order = tf.where(tf.equal(several[:-1], missing), last, order)
    firsts = tf.minimum(tf.math.unsorted_segment_min(order, cells, len(rows) * batch), last)
    return tf.reshape(tf.gather(several, firsts), tf.stack([len(rows), batch]))


def lists(rows: tf.Tensor, values: tf.Tensor, length: int, batch: tf.Tensor) -> tf.Tensor:
    """(batch, length): first non-negative values of each row, in order, padded with -1.

    Args:
        rows: (value,) int64.
        values: (value,) int64.
        length: length of the lists.
        batch: () int64: number of rows.
    """
    kept = values >= 0
    before = tf.cumsum(tf.cast(kept, tf.int64), exclusive=True)
    positions = before - tf.gather(tf.math.unsorted_segment_min(before, rows, batch), rows)
    # Values without a position go to an extra position at the end.
    end = batch * length
    places = tf.where(kept & (positions < length), rows * length + positions, end)
    # Twelve times as fast as `tf.scatter_nd`.
    found = tf.raw_ops.SparseToDense(
        sparse_indices=places,
        output_shape=tf.expand_dims(end + 1, 0),
        sparse_values=values,
        default_value=tf.constant(-1, tf.int64),
        validate_indices=False,
    )
    return tf.reshape(found[:-1], (-1, length))


def with_one_text(columns: Mapping[str, Column]) -> dict[str, Column]:
    """Normalizes the texts of all columns. Texts from logs are already normalized, those of a request may not be."""
    texts = [name for name, column in columns.items() if column.values.dtype == tf.string]
    if not texts:
        return dict(columns)
    values = one_text(tf.concat([columns[name].values for name in texts], axis=0))
    sizes = tf.stack([tf.size(columns[name].values) for name in texts])
    parts = zip(texts, tf.split(values, sizes, num=len(texts)), strict=True)
    return {**columns, **{name: dataclasses.replace(columns[name], values=part) for name, part in parts}}


def one_text(texts: tf.Tensor) -> tf.Tensor:
    """Normalizes each text by `models/features/value_texts.py`; keeps the shape."""

    def rewritten() -> tf.Tensor:
        values = tf.strings.regex_replace(texts, WHOLE, r"\1\2", replace_global=False)
        for written, text in BOOLEANS.items():
            values = tf.where(tf.equal(values, written), text, values)
        return values

    # The check is six times as fast as the rewrite.
    return tf.cond(tf.reduce_any(tf.strings.regex_full_match(texts, REWRITTEN)), rewritten, lambda: texts)
