"""Labelled examples -> ids and numbers, by hand in Polars and NumPy: what our features stage does with the same recipe.

Vocabularies by frequency, quantiles, moments, of the train split. An id is a row of one table of all features: row 0 is
padding; then each feature's own rows: missing, outside of the vocabulary, the vocabulary; or missing and the intervals.
Not here: hashed, quotient_remainder and shared tables.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

Feature = Mapping[str, Any]
"""As a recipe has it."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Encoded:
    """A split. `ids`: (example, column) int64; `lists`: {feature: (example, length)}; `numbers`: (example, number) float32."""

    ids: np.ndarray
    lists: Mapping[str, np.ndarray]
    numbers: np.ndarray


class Encoder:
    """What the train split says.

    Args:
        features: by name.
        train: the train split.
    """

    def __init__(self, features: Mapping[str, Feature], train: pl.DataFrame) -> None:
        self.features = features
        self.vocabularies: dict[str, pl.Series] = {}
        self.limits: dict[str, np.ndarray] = {}
        self.scaling: dict[str, tuple[float, float]] = {}
        for name, feature in features.items():
            _LEARN[feature["kind"]](self, name, feature, train)
        # Besides the values or intervals: missing, and one more.
        learnt: dict[str, pl.Series | np.ndarray] = {**self.vocabularies, **self.limits}
        self.tables = {name: len(learnt[name]) + 2 for name in features if name in learnt}
        """{feature: rows}."""
        ends = itertools.accumulate(self.tables.values(), initial=1)
        self.offsets = dict(zip(self.tables, ends, strict=False))

    def encode(self, split: pl.DataFrame) -> Encoded:
        """A split as ids and numbers."""
        ids, lists, numbers = [], {}, []
        for name, feature in self.features.items():
            column = _column(split, name, feature)
            if feature["kind"] == "numeric":
                numbers += self._numbers(name, feature, column)
            elif feature["kind"] == "bucketised":
                values = _floats(column)
                buckets = np.searchsorted(self.limits[name], values, side="right") + 1
                ids.append(np.where(np.isfinite(values), buckets, 0) + self.offsets[name])
            elif feature["kind"] == "categorical":
                ids.append(self._known(name, column))
            else:
                lists[name] = self._padded(name, feature, column)
        return Encoded(ids=np.stack(ids, axis=1), lists=lists, numbers=np.stack(numbers, axis=1))

    def learn_vocabulary(self, name: str, feature: Feature, train: pl.DataFrame) -> None:
        """The most frequent values."""
        values = _column(train, name, feature)
        values = (_split(values, feature).explode() if feature["kind"] == "multivalued" else values).drop_nulls()
        counted = values.alias("value").value_counts(name="count").filter(pl.col("count") >= feature["min_count"])
        ordered = counted.sort("count", "value", descending=[True, False])
        self.vocabularies[name] = ordered["value"].head(feature["vocabulary"])

    def learn_limits(self, name: str, feature: Feature, train: pl.DataFrame) -> None:
        """The given boundaries, or quantiles."""
        if feature["boundaries"]:
            self.limits[name] = np.unique(np.asarray(feature["boundaries"], np.float32))
            return
        values = _floats(_column(train, name, feature))
        values = np.sort(values[np.isfinite(values)])
        ranks = [part * len(values) // feature["buckets"] for part in range(1, feature["buckets"])]
        limits = np.unique(values[ranks])
        self.limits[name] = limits[limits > values[0]]

    def learn_scaling(self, name: str, feature: Feature, train: pl.DataFrame) -> None:
        """Shift and scale."""
        values = _transformed(_column(train, name, feature), feature)
        values = values[np.isfinite(values)]
        if feature["scale"] == "minmax":
            shift, scale = float(values.min()), float(values.max() - values.min())
        else:
            shift, scale = float(values.mean()), float(values.std())
        self.scaling[name] = (shift, scale or 1.0)

    def _known(self, name: str, values: pl.Series) -> np.ndarray:
        first, known = self.offsets[name], self.vocabularies[name]
        found = values.replace_strict(
            known, pl.int_range(first + 2, first + 2 + len(known), eager=True), default=first + 1, return_dtype=pl.Int64
        )
        return np.where(values.is_null().to_numpy(), first, found.fill_null(first).to_numpy())

    def _padded(self, name: str, feature: Feature, column: pl.Series) -> np.ndarray:
        parts = _split(column, feature).list.head(feature["max_length"])
        lengths = parts.list.len().fill_null(0).to_numpy()
        there = np.arange(feature["max_length"]) < lengths[:, None]
        dense = np.zeros(there.shape, np.int64)
        dense[there] = self._known(name, parts.explode().drop_nulls())
        return dense

    def _numbers(self, name: str, feature: Feature, column: pl.Series) -> list[np.ndarray]:
        values, (shift, scale) = _transformed(column, feature), self.scaling[name]
        finite = np.isfinite(values)
        return [np.where(finite, (values - shift) / scale, 0).astype(np.float32), (~finite).astype(np.float32)]


_LEARN = {
    "categorical": Encoder.learn_vocabulary,
    "multivalued": Encoder.learn_vocabulary,
    "bucketised": Encoder.learn_limits,
    "numeric": Encoder.learn_scaling,
}


def _column(split: pl.DataFrame, name: str, feature: Feature) -> pl.Series:
    column = split[feature.get("column") or name]
    # An empty text is missing.
    return column.replace("", None) if column.dtype == pl.String else column


def _split(column: pl.Series, feature: Feature) -> pl.Series:
    return column.str.split(feature["separator"])


def _floats(column: pl.Series) -> np.ndarray:
    return column.cast(pl.Float32).fill_null(float("nan")).to_numpy()


def _transformed(column: pl.Series, feature: Feature) -> np.ndarray:
    values = _floats(column).astype(np.float64)
    return np.sign(values) * np.log1p(np.abs(values)) if feature["transform"] == "log1p" else values
