"""The analysis of the train split: which sums each feature needs, and what follows from them. Pure, over Arrow batches.

    analyse(batch) -> Analysis; merge(analyses) -> Analysis; conclude(analysis) -> vocabularies, limits, scaling

An Analysis of some rows is a dict of counts, moments and numbers, each of which adds up exactly, in any order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.features.columns import first_values
from components.features.counts import Counts, count_values, merge_counts, quantile_boundaries, vocabulary
from components.features.moments import Moments, measure, merge_moments
from models.encoding import Analysed, table_of
from models.errors import InputError
from models.recipe import Bucketised, Categorical, Feature, MultiValued, Numeric, column_of

Analysis = dict[str, Counts | Moments | int]
"""`rows` and `values/<feature>`: numbers; `vocabulary/<table>` and `quantiles/<feature>`: Counts;
`moments/<feature>`: Moments."""


def analyse(batch: pa.RecordBatch, features: Mapping[str, Feature]) -> Analysis:
    """The analysis of one batch's rows.

    Only values that the model will see count: the first one, or the first `max_length`. Of numbers, the finite ones.
    """
    parts: list[Analysis] = [{"rows": batch.num_rows}]
    for name, feature in features.items():
        most = feature.max_length if isinstance(feature, MultiValued) else 1
        values = first_values(batch.column(column_of(name, feature)), most)
        if isinstance(feature, Categorical | MultiValued) and feature.vocabulary is None:
            pass  # counts for nothing but `values`
        elif isinstance(feature, Categorical | MultiValued):
            parts.append({f"vocabulary/{table_of(name, feature)}": count_values(values)})
        else:
            values = values.cast(pa.float32())
            values = values.filter(pc.is_finite(values))
        if isinstance(feature, Numeric):
            parts.append({f"moments/{name}": measure(transformed(values.to_numpy(zero_copy_only=False), feature))})
        elif isinstance(feature, Bucketised) and feature.buckets is not None:
            parts.append({f"quantiles/{name}": count_values(values)})
        parts.append({f"values/{name}": len(values)})
    return merge(parts)


def transformed(values: np.ndarray, feature: Numeric) -> np.ndarray:
    """The feature's transform of (value,) float32, computed in float64 and rounded to float32, as in the graph."""
    if feature.transform == "none":
        return values
    wide = values.astype(np.float64)
    return (np.sign(wide) * np.log1p(np.abs(wide))).astype(np.float32)


def merge(parts: Sequence[Analysis]) -> Analysis:
    """The analysis of all parts' rows together; the order of the parts does not matter."""
    gathered: dict[str, list[Counts | Moments | int]] = {}
    for part in parts:
        for key, value in part.items():
            gathered.setdefault(key, []).append(value)
    return {key: _MERGE[type(values[0])](values) for key, values in gathered.items()}


_MERGE: dict[type, Callable[[Any], Any]] = {int: sum, Counts: merge_counts, Moments: merge_moments}


def conclude(analysis: Analysis, features: Mapping[str, Feature]) -> tuple[Analysed, dict[str, pa.Array]]:
    """What the graph needs to know of the train split.

    Returns:
        The constants, and {table: its vocabulary in the order of the ids}.

    Raises:
        InputError: the train split is empty, or a feature has no value in it.
    """
    rows = analysis.get("rows", 0)
    if not rows:
        raise InputError(
            "The train split has no examples, so there is nothing to learn the features' vocabularies and moments from. "
            "Look at the recipe's `split` and at the times in the logs."
        )
    vocabularies: dict[str, pa.Array] = {}
    boundaries: dict[str, tuple[float, ...]] = {}
    scaling: dict[str, tuple[float, float]] = {}
    for name, feature in features.items():
        if not analysis[f"values/{name}"]:
            raise InputError(
                f"Feature {name!r}: the column {column_of(name, feature)!r} has no value in any of the {rows} train "
                "examples. Its name is probably wrong, or the column is new: correct it, or remove the feature."
            )
        if isinstance(feature, Categorical | MultiValued):
            table = table_of(name, feature)
            if table not in vocabularies and feature.vocabulary is not None:
                counts = analysis[f"vocabulary/{table}"]
                vocabularies[table] = vocabulary(_counts(counts), feature.vocabulary, feature.min_count)
        elif isinstance(feature, Numeric):
            scaling[name] = _scaling(analysis[f"moments/{name}"], feature)
        elif feature.buckets is not None:
            boundaries[name] = quantile_boundaries(_counts(analysis[f"quantiles/{name}"]), feature.buckets)
        else:
            # The graph compares float32 numbers; limits that are one there must be one here too.
            limits = np.unique(np.asarray(feature.boundaries, np.float32))
            boundaries[name] = tuple(float(limit) for limit in limits)
    sizes = {table: len(values) for table, values in vocabularies.items()}
    return Analysed(vocabulary_sizes=sizes, boundaries=boundaries, scaling=scaling), vocabularies


def _scaling(moments: object, feature: Numeric) -> tuple[float, float]:
    """(shift, scale); a constant column becomes 0."""
    if not isinstance(moments, Moments):
        raise TypeError(f"expected Moments, received {type(moments).__name__}")
    shift, scale = {
        "zscore": lambda: (moments.mean, moments.deviation),
        "minmax": lambda: (moments.smallest, moments.largest - moments.smallest),
        "none": lambda: (0.0, 1.0),
    }[feature.scale]()
    return shift, scale or 1.0


def _counts(value: object) -> Counts:
    if not isinstance(value, Counts):
        raise TypeError(f"expected Counts, received {type(value).__name__}")
    return value
