"""First values and lists of columns, against going through the rows one by one; and dictionaries."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from models.features.raw_columns import Column, first_values, lists

ROWS = st.lists(st.lists(st.integers(-1, 3), max_size=4), max_size=6)


def flat(rows: list[list[int]]) -> tuple[tf.Tensor, tf.Tensor]:
    """(row of each value, each value)."""
    numbers = [number for number, row in enumerate(rows) for _ in row]
    return tf.constant(numbers, tf.int64), tf.constant([value for row in rows for value in row], tf.int64)


@settings(max_examples=60, deadline=None)
@given(ROWS, st.data())
def test_first_values_one_by_one(rows: list[list[int]], data: st.DataObject) -> None:
    other = data.draw(st.permutations(rows))
    (numbers, values), (numbers2, values2) = flat(rows), flat(other)
    found = first_values([numbers, numbers2], [values, values2], -1, tf.constant(len(rows), tf.int64))
    expected = [[next((value for value in row if value != -1), -1) for row in column] for column in (rows, other)]
    assert found.numpy().tolist() == expected


def test_numbers_that_are_no_numbers_are_not_passed_over() -> None:
    rows = tf.constant([0, 0, 2, 2], tf.int64)
    found = first_values([rows], [tf.constant([math.nan, 1.0, 2.0, 3.0])], math.nan, tf.constant(3, tf.int64))
    np.testing.assert_array_equal(found, [[math.nan, math.nan, 2.0]])


@settings(max_examples=60, deadline=None)
@given(ROWS, st.integers(1, 3))
def test_lists_one_by_one(rows: list[list[int]], length: int) -> None:
    found = lists(*flat(rows), length, tf.constant(len(rows), tf.int64))
    kept = [[value for value in row if value >= 0][:length] for row in rows]
    assert found.numpy().tolist() == [row + [-1] * (length - len(row)) for row in kept]


def test_a_dictionary_is_worked_on_once() -> None:
    seen: list[int] = []

    def shout(values: tf.Tensor) -> tf.Tensor:
        seen.append(int(tf.size(values)))
        return tf.strings.upper(values)

    rows = tf.constant([0, 1, 2], tf.int64)
    column = Column(rows, tf.constant(["a", "c"]), tf.constant([1, 0, 1]))
    assert column.each(shout).numpy().tolist() == [b"C", b"A", b"C"]
    assert Column(rows, tf.constant(["c", "a", "c"])).each(shout).numpy().tolist() == [b"C", b"A", b"C"]
    assert seen == [2, 3]


def test_a_sparse_column() -> None:
    sparse = tf.SparseTensor([[0, 0], [2, 0], [2, 1]], [7, 8, 9], (3, 2))
    column = Column.of(sparse)
    assert (column.rows.numpy().tolist(), column.values.numpy().tolist()) == ([0, 2, 2], [7, 8, 9])
