"""Layout of the transformed columns, and the embedding table of each. Does not import TensorFlow."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from models.layers.input_names import component_name, input_of
from models.recipe.cross import Cross
from models.recipe.errors import InputError
from models.recipe.features import (
    Bucketised,
    Categorical,
    Feature,
    MultiValued,
    Numeric,
    Periodic,
    PiecewiseLinear,
)
from models.recipe.vector import Vector

LAYOUT_FILE = "layout.json"
ANALYSED_FILE = "analysed.json"
IDS_FILE, IDS_REPORT_FILE = "ids.parquet", "ids.json"
"""With `training.start: warm`: the id ledger (`models.features.ids`), and what came and went."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Analysed:
    """Statistics of the train split that the graph needs besides the recipe.

    Attributes:
        vocabulary_sizes: {table: number of values in the vocabulary}.
        boundaries: {bucketised feature: limits, ascending float32 values; piecewise linear feature: the limits of its
            intervals, at least two, ascending; twice the same number for a constant column}.
        scaling: {numeric feature, or feature/component of a vector: (shift, scale)}: the input is (value - shift) / scale, after
            the transform.
        count_errors: {table: rows}, only for tables with too many distinct values to count exactly. Values whose counts
            differ by more than this are in the correct order.
        limit_errors: {bucketised or piecewise linear feature: part}, only for features with too many distinct numbers to count exactly. A
            limit is below the exact quantile by at most this part of itself.
    """

    vocabulary_sizes: Mapping[str, int]
    boundaries: Mapping[str, tuple[float, ...]]
    scaling: Mapping[str, tuple[float, float]]
    count_errors: Mapping[str, int] = dataclasses.field(default_factory=dict)
    limit_errors: Mapping[str, float] = dataclasses.field(default_factory=dict)

    def to_json(self) -> str:
        """The constants as JSON text. `from_json` restores them exactly."""
        return json.dumps(dataclasses.asdict(self), indent=2)

    @classmethod
    def from_json(cls, text: str) -> Analysed:
        """Reads the constants from `to_json`."""
        content: dict[str, Any] = json.loads(text)
        return cls(
            vocabulary_sizes=content["vocabulary_sizes"],
            boundaries={feature: tuple(limits) for feature, limits in content["boundaries"].items()},
            scaling={feature: (shift, scale) for feature, (shift, scale) in content["scaling"].items()},
            count_errors=content["count_errors"],
            limit_errors=content["limit_errors"],
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class FeatureLayout:
    """The layout of the packed columns.

    Attributes:
        tables: {embedding table: (rows, dim)}.
        categorical: (feature, table) of each column of `categorical`, in order.
        multivalued: {feature: (table, pooling, width)} of each `multivalued/<feature>`.
        numeric: name of each column of `numeric`, in order: feature, feature_missing, ...; or, for a feature of several
            inputs, feature/component, ..., feature_missing.
        quotient_remainder: features of `multivalued` with two ids per value. A categorical feature is included as a list
            of one value.
    """

    tables: Mapping[str, tuple[int, int]]
    categorical: tuple[tuple[str, str], ...]
    multivalued: Mapping[str, tuple[str, str, int]]
    numeric: tuple[str, ...]
    quotient_remainder: tuple[str, ...] = ()

    def to_json(self) -> str:
        """The layout as JSON text."""
        return json.dumps(dataclasses.asdict(self), indent=2)

    @classmethod
    def from_json(cls, text: str) -> FeatureLayout:
        """Reads the layout from `to_json`."""
        content: dict[str, Any] = json.loads(text)
        return cls(
            tables={table: (int(rows), int(dim)) for table, (rows, dim) in content["tables"].items()},
            categorical=tuple((feature, table) for feature, table in content["categorical"]),
            multivalued={
                feature: (table, pooling, int(length))
                for feature, (table, pooling, length) in content["multivalued"].items()
            },
            numeric=tuple(content["numeric"]),
            quotient_remainder=tuple(content["quotient_remainder"]),
        )

    @classmethod
    def load(cls, transform_graph: str | Path) -> FeatureLayout:
        """Loads the layout from the folder of a TransformGraph.

        Raises:
            InputError: the folder has no layout, so the features stage did not write it.
        """
        path = Path(transform_graph) / LAYOUT_FILE
        try:
            return cls.from_json(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise InputError(
                f"{transform_graph}: expected a TransformGraph of the features stage, found no {LAYOUT_FILE} in it."
            ) from None


def table_of(name: str, feature: Feature) -> str:
    """The embedding table of a feature: its shared table, or its own."""
    return getattr(feature, "embedding", None) or name


def first_vocabulary_id(feature: Categorical | MultiValued) -> int:
    """The id of the most frequent value, after 0 (missing) and the out-of-vocabulary ids."""
    return 1 + feature.oov_buckets


def feature_layout(
    features: Mapping[str, Feature], analysed: Analysed, capacities: Mapping[str, int] = MappingProxyType({})
) -> FeatureLayout:
    """Makes the layout of features.

    Args:
        features: {name: feature}, in the recipe's order. Embedded features must have a `dim`.
        analysed: statistics of the train split.
        capacities: {table: rows for values, also those that no value has yet}. Default: one row for each value.
    """
    tables: dict[str, tuple[int, int]] = {}
    for name, feature in features.items():
        table = table_of(name, feature)
        if isinstance(feature, Categorical | MultiValued) and feature.hash_buckets is not None:
            rows = 1 + feature.hash_buckets * (2 if feature.quotient_remainder else 1)
        elif isinstance(feature, Categorical | MultiValued):
            rows = first_vocabulary_id(feature) + capacities.get(table, analysed.vocabulary_sizes[table])
        elif isinstance(feature, Cross):
            rows = 1 + feature.hash_buckets
        elif isinstance(feature, Bucketised):
            rows = 1 + len(analysed.boundaries[name]) + 1
        else:
            continue
        if feature.dim is None:
            raise ValueError(f"feature {name!r}: dim is missing")
        tables[table] = (rows, feature.dim)
    return FeatureLayout(
        tables=tables,
        categorical=tuple(
            (name, table_of(name, feature))
            for name, feature in features.items()
            if isinstance(feature, Categorical | Bucketised | Cross) and not is_quotient_remainder(feature)
        ),
        multivalued={
            name: (table_of(name, feature), *_list(feature))
            for name, feature in features.items()
            if isinstance(feature, MultiValued) or is_quotient_remainder(feature)
        },
        numeric=tuple(
            column
            for name, feature in features.items()
            if (inputs := numeric_inputs(name, feature, analysed))
            for column in (*inputs, missing_name(name))
        ),
        quotient_remainder=tuple(name for name, feature in features.items() if is_quotient_remainder(feature)),
    )


def numeric_inputs(name: str, feature: Feature, analysed: Analysed) -> tuple[str, ...]:
    """The columns of `numeric` of one feature, without the one that marks a missing value."""
    if isinstance(feature, Numeric):
        return (name,)
    components: list[str] = []
    if isinstance(feature, PiecewiseLinear):
        components = [str(number) for number in range(1, len(analysed.boundaries[name]))]
    elif isinstance(feature, Periodic):
        components = [f"{wave}{harmonic}" for harmonic in range(1, feature.harmonics + 1) for wave in ("sin", "cos")]
    elif isinstance(feature, Vector):
        components = [str(number) for number in range(1, feature.dim + 1)]
    return tuple(component_name(name, component) for component in components)


def is_quotient_remainder(feature: Feature) -> bool:
    """Whether a value's embedding is the sum of two rows."""
    return isinstance(feature, Categorical | MultiValued) and feature.quotient_remainder


def _list(feature: Feature) -> tuple[str, int]:
    """Pooling and width of a feature's list."""
    pooling, length = (feature.pooling, feature.max_length) if isinstance(feature, MultiValued) else ("sum", 1)
    return pooling, length * (2 if is_quotient_remainder(feature) else 1)


def missing_name(feature: str) -> str:
    """Name of the input that marks a missing number: 1 if missing, else 0."""
    return f"{feature}_missing"


def part_of(layout: FeatureLayout, features: Collection[str]) -> FeatureLayout:
    """The layout of some of the features, in the same order."""
    numbers = {*features, *map(missing_name, features)}
    return dataclasses.replace(
        layout,
        categorical=tuple(entry for entry in layout.categorical if entry[0] in features),
        multivalued={name: about for name, about in layout.multivalued.items() if name in features},
        numeric=tuple(name for name in layout.numeric if input_of(name) in numbers),
        quotient_remainder=tuple(name for name in layout.quotient_remainder if name in features),
    )


def features_of(layout: FeatureLayout) -> tuple[str, ...]:
    """The features of a layout."""
    inputs = dict.fromkeys(map(input_of, layout.numeric))
    numbers = [name for name in inputs if missing_name(name) in inputs]
    return (*(name for name, _ in layout.categorical), *layout.multivalued, *numbers)
