"""The piecewise linear and the periodic inputs against NumPy."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from models.features.layout import Analysed
from models.features.number_inputs import numbers_of
from models.features.raw_columns import Column
from models.recipe.features import Feature, Periodic, PiecewiseLinear

NUMBERS = st.floats(-1e6, 1e6, width=32, allow_subnormal=False)  # TensorFlow flushes subnormal numbers to 0


def inputs_of(feature: Feature, values: list[float], boundaries: tuple[float, ...] = ()) -> dict[str, Any]:
    column = Column(tf.range(len(values), dtype=tf.int64), tf.constant(values, tf.float32))
    analysed = Analysed(vocabulary_sizes={}, boundaries={"x": boundaries}, scaling={})
    found = numbers_of({"x": feature}, analysed, {"x": column}, tf.constant(len(values), tf.int64))
    return {name: array.numpy() for name, array in found.items()}


@settings(max_examples=30, deadline=None)
@given(
    limits=st.lists(NUMBERS, min_size=2, max_size=6, unique_by=lambda limit: limit + 0.0),
    values=st.lists(NUMBERS | st.just(math.nan), min_size=1, max_size=9),
)
def test_pieces_equal_interpolation_in_float64(limits: list[float], values: list[float]) -> None:
    boundaries = tuple(sorted(limits))
    # The limits themselves, too.
    values = [*values, *boundaries]
    found = inputs_of(PiecewiseLinear(kind="piecewise_linear", buckets=9), values, boundaries)
    missing = np.isnan(values)
    wide = np.where(missing, 0, np.float64(values))
    pieces = []
    for number, (low, high) in enumerate(itertools.pairwise(boundaries), 1):
        expected = np.float32(np.clip((wide - low) / (high - low), 0, 1))
        # TensorFlow flushes denormal numbers to 0.
        np.testing.assert_allclose(
            found[f"x/{number}"], np.where(missing, np.float32(0), expected), rtol=0, atol=1.2e-38
        )
        pieces.append(found[f"x/{number}"] * np.float64(high - low))
    np.testing.assert_array_equal(found["x_missing"], np.float32(missing))
    assert len(found) == len(boundaries)
    # The components keep all of a number between the outer limits.
    inside = np.clip(wide, boundaries[0], boundaries[-1])[~missing]
    np.testing.assert_allclose(boundaries[0] + sum(pieces)[~missing], inside, rtol=1e-6, atol=1e-6 * 2e6)


@settings(max_examples=20, deadline=None)
@given(values=st.lists(NUMBERS, min_size=1, max_size=9), period=st.floats(0.1, 1e4))
def test_waves_repeat_after_a_period(values: list[float], period: float) -> None:
    found = inputs_of(Periodic(kind="periodic", period=period, harmonics=2), values)
    for harmonic in (1, 2):
        angles = 2 * np.pi * harmonic * (np.mod(np.float64(np.float32(values)), period) / period)
        np.testing.assert_allclose(found[f"x/sin{harmonic}"], np.sin(angles), rtol=1e-6, atol=1e-12)
        np.testing.assert_allclose(found[f"x/cos{harmonic}"], np.cos(angles), rtol=1e-6, atol=1e-12)
    assert list(found) == ["x/sin1", "x/sin2", "x/cos1", "x/cos2", "x_missing"]
