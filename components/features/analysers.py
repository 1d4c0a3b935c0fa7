"""The analysis of the train split: the statistics of each feature, and the constants computed from them. Pure, over Arrow batches.

    analyse(batch) -> Analysis; merge(analyses) -> Analysis; conclude(analysis) -> vocabularies, limits, scaling

An Analysis of some rows is a dict of counts, moments and numbers. Each adds up exactly, in any order; only of a column with
more distinct values than memory should hold the counts are bounded, see `columnar.frequent` and `columnar.cells`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.columnar.cells import Cells, count_cells, merge_cells, quantile_boundaries
from components.columnar.counts import count_values, vocabulary
from components.columnar.frequent import Frequent, count_frequent, merge_frequent
from components.columnar.moments import Moments, measure, merge_moments
from components.example_schema import TIME
from components.features.columns import first_values, lengths, whole_vectors
from components.features.night_ids import NightIds, Past, with_ids
from components.features.seen import Seen, merge_seen, see
from models.features.layout import Analysed, table_of
from models.layers.input_names import component_name, input_of
from models.recipe.cross import Cross
from models.recipe.errors import InputError
from models.recipe.features import (
    Bucketised,
    Categorical,
    Feature,
    MultiValued,
    Numeric,
    PiecewiseLinear,
    column_of,
)
from models.recipe.vector import Vector

MOST_NUMBERS = 2**21
"""Distinct numbers of a column up to which its quantiles are exact. Beyond, a cell forgets at most 11 of the 32 bits of a float32, and
a limit is at most by its 2^-12th part below the exact one."""

Part = Frequent | Seen | Cells | Moments | int
Analysis = dict[str, Part]
"""`rows` and `values/<feature>`: numbers; `vocabulary/<table>`: Frequent, or Seen where the ids go from night to night;
`quantiles/<feature>`: Cells; `moments/<feature>`, or `moments/<feature>/<component>` of a vector: Moments."""


def analyse(batch: pa.RecordBatch, features: Mapping[str, Feature], since: Mapping[str, int] | None = None) -> Analysis:
    """The analysis of one batch's rows.

    Only values that the model will see count: the first one, or the first `max_length`. Of numbers, the finite ones.

    Args:
        batch: raw examples.
        features: {name: feature}.
        since: {table: time}, where the ids go from night to night: values of earlier impressions are not counted for the
            vocabulary. The batch then has the column of the times.
    """
    parts: list[Analysis] = [{"rows": batch.num_rows}]
    for name, feature in features.items():
        if isinstance(feature, Cross):
            there = [lengths(batch.column(column)) > 0 for column in feature.columns]
            parts.append({f"values/{name}": int(np.logical_and.reduce(there).sum())})
            continue
        most = feature.max_length if isinstance(feature, MultiValued) else 1
        column = batch.column(column_of(name, feature))
        if isinstance(feature, Vector):
            parts.append(_of_vectors(name, feature, column))
            continue
        values = first_values(column, most)
        if not isinstance(feature, Categorical | MultiValued) or feature.type == "number":
            values = finite_numbers(values)
        if isinstance(feature, Categorical | MultiValued):
            # Without a vocabulary it counts for nothing but `values`.
            if feature.vocabulary is not None:
                table = table_of(name, feature)
                counts: Part
                if since is None:
                    counts = count_frequent(values, feature.vocabulary)
                else:
                    counts = _seen(batch, column, feature, since[table])
                parts.append({f"vocabulary/{table}": counts})
        elif isinstance(feature, Numeric):
            parts.append({f"moments/{name}": measure(transformed(values.to_numpy(zero_copy_only=False), feature))})
        elif isinstance(feature, Bucketised | PiecewiseLinear) and feature.buckets is not None:
            parts.append({f"quantiles/{name}": count_numbers(values)})
        parts.append({f"values/{name}": len(values)})
    return merge(parts)


def _of_vectors(name: str, feature: Vector, column: pa.Array) -> Analysis:
    vectors = whole_vectors(column, feature.dim)
    parts: Analysis = {f"values/{name}": len(vectors)}
    if feature.normalise == "standard":
        components = [component_name(name, str(number)) for number in range(1, feature.dim + 1)]
        parts |= {f"moments/{one}": measure(values) for one, values in zip(components, vectors.T, strict=True)}
    return parts


def _seen(batch: pa.RecordBatch, column: pa.Array, feature: Categorical | MultiValued, since: int) -> Seen:
    """The values of the impressions from `since` on, with their times."""
    times = batch.column(TIME).flatten().to_numpy(zero_copy_only=False)
    if len(times) != batch.num_rows:
        raise ValueError(f"the column {TIME!r} must have exactly one value in every row")
    kept = times >= since
    if not kept.all():
        column, times = column.filter(pa.array(kept)), times[kept]
    most = feature.max_length if isinstance(feature, MultiValued) else 1
    values, times = first_values(column, most), np.repeat(times, np.minimum(lengths(column), most))
    if feature.type == "number":
        there = pc.is_finite(values.cast(pa.float32(), safe=False)).to_numpy(zero_copy_only=False)
        values, times = finite_numbers(values), times[there]
    return see(values, times, feature.vocabulary or 0)


def finite_numbers(values: pa.Array) -> pa.Array:
    """The finite numbers as float32, rounded as the graph does; -0.0 becomes 0.0."""
    values = values.cast(pa.float32(), safe=False)
    return pc.add(values.filter(pc.is_finite(values)), pa.scalar(0, pa.float32()))


def count_numbers(values: pa.Array) -> Cells:
    """The counts of an array of finite float32 numbers without nulls."""
    counts = count_values(values)
    return count_cells(counts.values.to_numpy(zero_copy_only=False), counts.counts, MOST_NUMBERS)


def transformed(values: np.ndarray, feature: Numeric) -> np.ndarray:
    """The feature's transform of (value,) float32, computed in float64 and rounded to float32, as in the graph."""
    if feature.transform == "none":
        return values
    wide = values.astype(np.float64)
    return (np.sign(wide) * np.log1p(np.abs(wide))).astype(np.float32)


def merge(parts: Sequence[Analysis]) -> Analysis:
    """The analysis of all parts' rows together; the order of the parts does not matter."""
    gathered: dict[str, list[Part]] = {}
    for part in parts:
        for key, value in part.items():
            gathered.setdefault(key, []).append(value)
    return {key: merge_parts(values) for key, values in gathered.items()}


def merge_parts(parts: Sequence[Part]) -> Part:
    """One entry of several analyses, together; at least one, all of one type."""
    merged: Part = _MERGE[type(parts[0])](parts)
    return merged


_MERGE: dict[type, Callable[[Any], Any]] = {
    int: sum,
    Frequent: merge_frequent,
    Seen: merge_seen,
    Cells: lambda parts: merge_cells(parts, MOST_NUMBERS),
    Moments: merge_moments,
}


def conclude(
    analysis: Analysis, features: Mapping[str, Feature], past: Past | None = None, ids: NightIds | None = None
) -> tuple[Analysed, dict[str, pa.Array]]:
    """The constants of the graph, computed from the train split.

    Args:
        analysis: of the train split.
        features: {name: feature}.
        past: what the ancestor had: the limits and the scaling of its features stay, and they may be without a value.
        ids: the ids of the night, whose vocabularies are taken.

    Returns:
        The constants, and {table: its vocabulary in the order of the ids}.

    Raises:
        InputError: the train split is empty, or a new feature has no value in it.
    """
    rows = analysis.get("rows", 0)
    if not rows:
        raise InputError(
            "The train split has no examples, so the features' vocabularies and moments cannot be computed. "
            "Check the recipe's `split` and the times in the logs."
        )
    boundaries: dict[str, tuple[float, ...]] = {}
    scaling: dict[str, tuple[float, float]] = {}
    limit_errors: dict[str, float] = {}
    for name, feature in features.items():
        if past is not None and past.has(name, feature):
            _take_over(name, past.analysed.boundaries, boundaries)
            scaling |= {one: pair for one, pair in past.analysed.scaling.items() if input_of(one) == name}
            _take_over(name, past.analysed.limit_errors, limit_errors)
            continue
        if not analysis[f"values/{name}"]:
            raise InputError(
                f"Feature {name!r}: {_columns(name, feature)} no value in any of the {rows} train examples. The name may be "
                "wrong, or the column may be new: correct it, or remove the feature."
            )
        if isinstance(feature, Numeric):
            scaling[name] = _scaling(_of(Moments, analysis[f"moments/{name}"]), feature.scale)
        elif isinstance(feature, Vector) and feature.normalise == "standard":
            for number in range(1, feature.dim + 1):
                one = component_name(name, str(number))
                scaling[one] = _scaling(_of(Moments, analysis[f"moments/{one}"]), "zscore")
        elif isinstance(feature, Bucketised | PiecewiseLinear):
            numbers = None if feature.buckets is None else _of(Cells, analysis[f"quantiles/{name}"])
            boundaries[name] = _limits(feature, numbers)
            if numbers is not None and numbers.shift:
                limit_errors[name] = numbers.relative_width
    vocabularies, count_errors = (
        _vocabularies(analysis, features) if ids is None else (ids.vocabularies, ids.count_errors)
    )
    analysed = Analysed(
        vocabulary_sizes={table: len(values) for table, values in vocabularies.items()},
        boundaries=boundaries,
        scaling=scaling,
        count_errors=count_errors,
        limit_errors=limit_errors,
    )
    return analysed, dict(vocabularies)


def _columns(name: str, feature: Feature) -> str:
    if isinstance(feature, Cross):
        return f"its columns {', '.join(map(repr, feature.columns))} together have"
    return f"the column {column_of(name, feature)!r} has"


def _vocabularies(
    analysis: Analysis, features: Mapping[str, Feature]
) -> tuple[Mapping[str, pa.Array], Mapping[str, int]]:
    """{table: its vocabulary}, and the `count_errors` of `Analysed`."""
    vocabularies: dict[str, pa.Array] = {}
    count_errors: dict[str, int] = {}
    for table, feature in with_ids(features).items():
        found = _of(Frequent, analysis[f"vocabulary/{table}"])
        # A value that may occur so often is not left out.
        least = max(1, feature.min_count - found.error)
        vocabularies[table] = vocabulary(found.counts, feature.vocabulary or 0, least)
        if found.error:
            count_errors[table] = found.error
    return vocabularies, count_errors


def _limits(feature: Bucketised | PiecewiseLinear, numbers: Cells | None) -> tuple[float, ...]:
    """The limits of the intervals: those of the recipe, or the quantiles of the numbers."""
    inner = feature.boundaries or ()
    if numbers is not None and feature.buckets is not None:
        inner = quantile_boundaries(numbers, feature.buckets)
        if isinstance(feature, PiecewiseLinear):
            inner = (float(numbers.lows[0]), *inner, float(numbers.lows[-1]))
    # The graph compares float32 numbers; limits that are one there must be one here too.
    limits = tuple(float(limit) for limit in np.unique(np.asarray(inner, np.float32)))
    return limits * 2 if isinstance(feature, PiecewiseLinear) and len(limits) == 1 else limits


def _scaling(moments: Moments, scale: str) -> tuple[float, float]:
    """(shift, scale); a constant column becomes 0."""
    shift, width = {
        "zscore": lambda: (moments.mean, moments.deviation),
        "minmax": lambda: (moments.smallest, moments.largest - moments.smallest),
        "none": lambda: (0.0, 1.0),
    }[scale]()
    return shift, width or 1.0


Kind = TypeVar("Kind")


def _take_over(name: str, old: Mapping[str, Kind], new: dict[str, Kind]) -> None:
    if name in old:
        new[name] = old[name]


def _of(kind: type[Kind], part: object) -> Kind:
    if not isinstance(part, kind):
        raise TypeError(f"expected {kind.__name__}, received {type(part).__name__}")
    return part
