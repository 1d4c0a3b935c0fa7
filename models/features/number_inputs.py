"""The features of numbers inside the graph: numeric, bucketised, piecewise linear and periodic.

Features of one kind share a few operations, whatever their number: a graph of forty features is built, saved and loaded for
every model. Numbers are computed in float64 and rounded once to float32.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping

import tensorflow as tf

from models.features.layout import Analysed, missing_name, numeric_inputs
from models.features.raw_columns import Column, first_values
from models.recipe.features import (
    Bucketised,
    Feature,
    Numeric,
    Periodic,
    PiecewiseLinear,
    column_of,
    feature_columns,
)

KINDS = Bucketised | Numeric | PiecewiseLinear | Periodic

Gather = Callable[[Iterable[str]], tuple[tf.Tensor, tf.Tensor]]
"""Features, which may repeat -> (feature, batch) float64 numbers, and whether each is there."""


def numbers_of(
    features: Mapping[str, Feature], analysed: Analysed, columns: Mapping[str, Column], batch: tf.Tensor
) -> dict[str, tf.Tensor]:
    """The features of numbers: (batch,) int64 ids of bucketised ones, (batch,) float32 for each input of the others.

    Args:
        features: {name: feature}; others are left out.
        analysed: statistics of the train split.
        columns: raw columns by name.
        batch: () int64: number of rows.
    """
    numbers = {name: feature for name, feature in features.items() if isinstance(feature, KINDS)}
    if not numbers:
        return {}
    used = list(feature_columns(numbers))
    values = [tf.cast(columns[name].values, tf.float32) for name in used]
    firsts = first_values([columns[name].rows for name in used], values, math.nan, batch)
    finite = tf.math.is_finite(firsts)
    place = {name: used.index(column_of(name, feature)) for name, feature in numbers.items()}

    def gather(names: Iterable[str]) -> tuple[tf.Tensor, tf.Tensor]:
        places = [place[name] for name in names]
        return tf.cast(tf.gather(firsts, places), tf.float64), tf.gather(finite, places)

    outputs: dict[str, tf.Tensor] = {}
    bucketised = [name for name, feature in numbers.items() if isinstance(feature, Bucketised)]
    if bucketised:
        each = tf.unstack(firsts, num=len(used))
        buckets = [
            tf.raw_ops.Bucketize(input=each[place[name]], boundaries=list(analysed.boundaries[name]))
            for name in bucketised
        ]
        there = tf.gather(finite, [place[name] for name in bucketised])
        ids = tf.where(there, tf.cast(tf.stack(buckets), tf.int64) + 1, tf.constant(0, tf.int64))
        outputs |= dict(zip(bucketised, tf.unstack(ids, num=len(bucketised)), strict=True))
    scaled = {name: feature for name, feature in numbers.items() if isinstance(feature, Numeric)}
    outputs |= _scaled(scaled, analysed, gather)
    pieces = {name: feature for name, feature in numbers.items() if isinstance(feature, PiecewiseLinear)}
    outputs |= _pieces(pieces, analysed, gather)
    periodic = {name: feature for name, feature in numbers.items() if isinstance(feature, Periodic)}
    outputs |= _waves(periodic, analysed, gather)
    marked = [name for name in numbers if name not in bucketised]
    if marked:
        missing = tf.cast(~tf.gather(finite, [place[name] for name in marked]), tf.float32)
        outputs |= dict(zip(map(missing_name, marked), tf.unstack(missing, num=len(marked)), strict=True))
    return outputs


def _scaled(features: Mapping[str, Numeric], analysed: Analysed, gather: Gather) -> dict[str, tf.Tensor]:
    outputs: dict[str, tf.Tensor] = {}
    for transform, function in _TRANSFORMS.items():
        names = [name for name, feature in features.items() if feature.transform == transform]
        if names:
            shifts, scales = _columns([analysed.scaling[name] for name in names])
            values, there = gather(names)
            outputs |= _rounded(names, (function(values) - shifts) / scales, there)
    return outputs


def _log1p(values: tf.Tensor) -> tf.Tensor:
    # In float32, as the moments were computed.
    return tf.cast(tf.cast(tf.sign(values) * tf.math.log1p(tf.abs(values)), tf.float32), tf.float64)


_TRANSFORMS: dict[str, Callable[[tf.Tensor], tf.Tensor]] = {"none": lambda values: values, "log1p": _log1p}


def _pieces(features: Mapping[str, PiecewiseLinear], analysed: Analysed, gather: Gather) -> dict[str, tf.Tensor]:
    """clip((x - low) / width, 0, 1) for each interval; 0 for the interval of a constant column, which has no width."""
    inputs: list[str] = []
    owners: list[str] = []
    intervals: list[tuple[float, float]] = []
    for name, feature in features.items():
        limits = analysed.boundaries[name]
        inputs += numeric_inputs(name, feature, analysed)
        owners += [name] * (len(limits) - 1)
        intervals += [(low, high - low or math.inf) for low, high in itertools.pairwise(limits)]
    if not inputs:
        return {}
    lows, widths = _columns(intervals)
    values, there = gather(owners)
    return _rounded(inputs, tf.clip_by_value((values - lows) / widths, 0.0, 1.0), there)


def _waves(features: Mapping[str, Periodic], analysed: Analysed, gather: Gather) -> dict[str, tf.Tensor]:
    """sin and cos of 2 pi h x / period, of x modulo the period, which is exact."""
    waves = [
        (name, feature.period, 2 * math.pi * harmonic)
        for name, feature in features.items()
        for harmonic in range(1, feature.harmonics + 1)
    ]
    if not waves:
        return {}
    inputs = [one for name, feature in features.items() for one in numeric_inputs(name, feature, analysed)]
    periods, factors = _columns([(period, factor) for _, period, factor in waves])
    values, there = gather(name for name, *_ in waves)
    angles = tf.math.floormod(values, periods) / periods * factors
    sines, cosines = _rounded(inputs[::2], tf.sin(angles), there), _rounded(inputs[1::2], tf.cos(angles), there)
    return sines | cosines


def _columns(pairs: Iterable[tuple[float, float]]) -> tuple[tf.Tensor, tf.Tensor]:
    """Two (pair, 1) float64 constants."""
    first, second = zip(*pairs, strict=True)
    return tf.constant(first, tf.float64, (len(first), 1)), tf.constant(second, tf.float64, (len(second), 1))


def _rounded(names: list[str], values: tf.Tensor, there: tf.Tensor) -> dict[str, tf.Tensor]:
    """{name: (batch,) float32}: the values, 0 for missing ones."""
    rounded = tf.where(there, tf.cast(values, tf.float32), tf.constant(0, tf.float32))
    return dict(zip(names, tf.unstack(rounded, num=len(names)), strict=True))
