"""Vectors in the graph against NumPy, and their place among the packed numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from models.features.layout import Analysed, FeatureLayout, feature_layout, features_of, part_of
from models.features.preprocessing import encode_columns, pack
from models.features.raw_columns import Column
from models.features.vectors import vectors_of
from models.recipe.features import Feature, Numeric
from models.recipe.vector import Vector

SCALING = {"x/1": (1.0, 2.0), "x/2": (-3.0, 0.5), "x/3": (0.0, 1.0)}
COMPONENT = st.floats(-1e6, 1e6, width=32, allow_subnormal=False) | st.sampled_from([math.nan, math.inf, -math.inf])


def column_of(rows: list[list[float]]) -> Column:
    places = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    values = np.array([value for row in rows for value in row], np.float32)
    return Column(tf.constant(places, tf.int64), tf.constant(values))


def encoded(feature: Vector, rows: list[list[float]]) -> dict[str, Any]:
    analysed = Analysed(vocabulary_sizes={}, boundaries={}, scaling=SCALING)
    found = vectors_of({"x": feature}, analysed, {"x": column_of(rows)}, tf.constant(len(rows), tf.int64))
    return {name: values.numpy() for name, values in found.items()}


def by_hand(row: list[float], normalise: str) -> tuple[list[float], float]:
    if len(row) != 3 or not all(map(math.isfinite, row)):
        return [0.0] * 3, 1.0
    if normalise == "l2":
        norm = math.sqrt(sum(value * value for value in row))
        return [value / norm if norm else 0.0 for value in row], 0.0
    if normalise == "standard":
        return [(value - shift) / scale for value, (shift, scale) in zip(row, SCALING.values(), strict=True)], 0.0
    return row, 0.0


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.lists(COMPONENT, max_size=5) | st.lists(COMPONENT, min_size=3, max_size=3), min_size=1, max_size=6)
)
@pytest.mark.parametrize("normalise", ["none", "l2", "standard"])
def test_any_rows_equal_the_formula(normalise: str, rows: list[list[float]]) -> None:
    found = encoded(Vector(kind="vector", dim=3, normalise=normalise), rows)
    expected = [by_hand(row, normalise) for row in rows]
    assert found["x"].shape == (len(rows), 3) and found["x"].dtype == np.float32
    np.testing.assert_allclose(found["x"], [values for values, _ in expected], rtol=2e-7, atol=1e-30)
    assert found["x_missing"].tolist() == [missing for _, missing in expected]


def test_no_rows_and_rows_without_values() -> None:
    feature = Vector(kind="vector", dim=3)
    assert encoded(feature, [])["x"].shape == (0, 3)
    assert encoded(feature, [[], []])["x"].tolist() == [[0.0] * 3] * 2


def test_a_vector_lies_between_numbers_in_the_order_of_the_recipe() -> None:
    features: dict[str, Feature] = {
        "a": Numeric(kind="numeric", scale="none"),
        "x": Vector(kind="vector", dim=2),
        "b": Numeric(kind="numeric", scale="none"),
        "y": Vector(kind="vector", dim=1, column="b_list"),
    }
    analysed = Analysed(vocabulary_sizes={}, boundaries={}, scaling={"a": (0.0, 1.0), "b": (0.0, 1.0)})
    layout = feature_layout(features, analysed)
    assert layout.numeric == ("a", "a_missing", "x/1", "x/2", "x_missing", "b", "b_missing", "y/1", "y_missing")
    assert FeatureLayout.from_json(layout.to_json()) == layout
    assert features_of(layout) == ("a", "x", "b", "y")
    rows: dict[str, list[list[float]]] = {
        "a": [[1.0], []],
        "x": [[], [2.0, 3.0]],
        "b": [[4.0], [5.0]],
        "b_list": [[6.0], []],
    }
    columns = {name: column_of(values) for name, values in rows.items()}

    def no_table(table: str, dtype: tf.DType) -> tf.lookup.StaticHashTable:
        raise AssertionError(table)

    outputs = encode_columns(features, analysed, columns, tf.constant(2, tf.int64), no_table)
    numeric = pack(outputs, layout)["numeric"].numpy()
    assert numeric.tolist() == [[1, 0, 0, 0, 1, 4, 0, 6, 0], [0, 1, 2, 3, 0, 5, 0, 0, 1]]
    part = part_of(layout, ["x"])
    assert pack(outputs, part)["numeric"].numpy().tolist() == [[0, 0, 1], [2, 3, 0]]
