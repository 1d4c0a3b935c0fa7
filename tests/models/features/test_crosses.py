"""Crosses in the graph against the formula in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from models.features.crosses import crosses_of
from models.features.layout import Analysed, feature_layout
from models.features.raw_columns import Column
from models.features.splitmix import mix
from models.recipe.cross import Cross


def ids_of(columns: dict[str, list[Any]], buckets: int = 1000, names: tuple[str, ...] | None = None) -> list[int]:
    """One value or None in each row."""
    raw = {}
    for name, values in columns.items():
        rows = [row for row, value in enumerate(values) if value is not None]
        there = [values[row] for row in rows]
        dtype = tf.int64 if there and isinstance(there[0], int) else tf.string
        raw[name] = Column(tf.constant(rows, tf.int64), tf.constant(there, dtype, (len(there),)))
    cross = Cross(kind="cross", columns=names or tuple(columns), hash_buckets=buckets, dim=2)
    count = len(next(iter(columns.values())))
    found: list[int] = crosses_of({"x": cross}, raw, tf.constant(count, tf.int64))["x"].numpy().tolist()
    return found


def by_hand(values: tuple[str, ...], buckets: int) -> int:
    if not all(values):
        return 0
    mixed = np.zeros(1, np.uint64)
    for value in values:
        code = tf.strings.to_hash_bucket_fast([value], 2**63 - 1).numpy().astype(np.uint64)
        mixed = mix(mixed ^ code)
    return 1 + int(mixed[0] >> np.uint64(1)) % buckets


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(st.tuples(*[st.text(max_size=3)] * 3), min_size=1, max_size=6),
    buckets=st.integers(2, 10**8),
)
def test_any_texts_equal_the_formula(rows: list[tuple[str, str, str]], buckets: int) -> None:
    columns = {name: list(values) for name, values in zip("abc", zip(*rows, strict=True), strict=True)}
    assert ids_of(columns, buckets) == [by_hand(row, buckets) for row in rows]


def test_ids_are_the_same_on_every_machine() -> None:
    found = ids_of({"country": ["at", "de", "at", None, ""], "item": [7, 7, -8, 7, 7]})
    assert found == EXPECTED
    # The whole number 7 and the text 7 are one value.
    assert ids_of({"country": ["at", "de", "at", None, ""], "item": ["7", "7", "-8", "7", "7"]}) == found


EXPECTED = [935, 176, 690, 0, 0]


def test_the_order_of_the_columns_and_the_place_of_a_value_count() -> None:
    columns = {"a": ["x", "y"], "b": ["y", "x"]}
    assert ids_of(columns)[0] != ids_of(columns)[1]
    assert ids_of(columns) == ids_of(columns, names=("b", "a"))[::-1]
    joined = ids_of({"a": ["xy", "x"], "b": ["z", "yz"]})
    assert joined[0] != joined[1]


def test_pairs_spread_over_the_buckets() -> None:
    columns = {"a": [a for a in range(100) for _ in range(100)], "b": list(range(100)) * 100}
    counts = np.bincount(ids_of(columns, 50), minlength=51)
    assert counts[0] == 0 and len(counts) == 51
    # 200 expected in each; 5 standard deviations are 70.
    assert counts[1:].min() > 130 and counts[1:].max() < 270


def test_the_first_value_counts_and_distinct_texts_have_places() -> None:
    country = Column(tf.constant([0, 0, 2], tf.int64), tf.constant(["de", "at"]), tf.constant([1, 0, 1]))
    item = Column(tf.constant([0, 1, 2], tf.int64), tf.constant([7, 7, -8], tf.int64))
    cross = Cross(kind="cross", columns=("country", "item"), hash_buckets=1000, dim=2)
    found = crosses_of({"x": cross}, {"country": country, "item": item}, tf.constant(3, tf.int64))["x"]
    assert found.numpy().tolist() == [EXPECTED[0], 0, EXPECTED[2]]


def test_the_table() -> None:
    cross = Cross(kind="cross", columns=("a", "b"), hash_buckets=9, dim=2)
    layout = feature_layout({"x": cross}, Analysed(vocabulary_sizes={}, boundaries={}, scaling={}))
    assert layout.tables == {"x": (10, 2)} and layout.categorical == (("x", "x"),)
