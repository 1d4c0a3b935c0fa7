"""How the transformed columns are laid out, and which embedding table each of them reads. No TensorFlow here."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from models.recipe.errors import InputError
from models.recipe.features import Bucketised, Categorical, Feature, MultiValued, Numeric

LAYOUT_FILE = "layout.json"
ANALYSED_FILE = "analysed.json"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Analysed:
    """What the train split says about the features; all that the graph needs besides the recipe.

    Attributes:
        vocabulary_sizes: {table: values that have an id of their own}.
        boundaries: {bucketised feature: limits, rising, each a float32's value}.
        scaling: {numeric feature: (shift, scale)}: the input is (value - shift) / scale, after the transform.
        count_errors: {table: rows}, only of tables with more distinct values than are counted exactly: values whose
            counts differ by more are in the right order.
        limit_errors: {bucketised feature: part}, only of those with more distinct numbers than are counted exactly: a
            limit is at most by this part of itself below the exact quantile.
    """

    vocabulary_sizes: Mapping[str, int]
    boundaries: Mapping[str, tuple[float, ...]]
    scaling: Mapping[str, tuple[float, float]]
    count_errors: Mapping[str, int] = dataclasses.field(default_factory=dict)
    limit_errors: Mapping[str, float] = dataclasses.field(default_factory=dict)

    def to_json(self) -> str:
        """The constants as JSON text; `from_json` reads back the same, to the last bit."""
        return json.dumps(dataclasses.asdict(self), indent=2)

    @classmethod
    def from_json(cls, text: str) -> Analysed:
        """The constants that `to_json` wrote."""
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
        categorical: (feature, table) of each column of `categorical`, in its order.
        multivalued: {feature: (table, pooling, width)} of each `multivalued/<feature>`.
        numeric: name of each column of `numeric`, in its order: feature, feature_missing, ...
        quotient_remainder: the features among `multivalued` whose ids come in pairs, two for each value. A categorical one
            is among them too, as a list of one value.
    """

    tables: Mapping[str, tuple[int, int]]
    categorical: tuple[tuple[str, str], ...]
    multivalued: Mapping[str, tuple[str, str, int]]
    numeric: tuple[str, ...]
    quotient_remainder: tuple[str, ...] = ()

    def to_json(self) -> str:
        """The layout as JSON text; `from_json` reads it back."""
        return json.dumps(dataclasses.asdict(self), indent=2)

    @classmethod
    def from_json(cls, text: str) -> FeatureLayout:
        """The layout that `to_json` wrote."""
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
        """The layout in a TransformGraph's folder.

        Raises:
            InputError: it has none, so it is no folder that the features stage wrote.
        """
        path = Path(transform_graph) / LAYOUT_FILE
        try:
            return cls.from_json(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise InputError(
                f"{transform_graph}: expected a TransformGraph of the features stage, found no {LAYOUT_FILE} in it."
            ) from None


def table_of(name: str, feature: Feature) -> str:
    """The embedding table that a feature reads: the shared one that it names, or its own."""
    return getattr(feature, "embedding", None) or name


def first_vocabulary_id(feature: Categorical | MultiValued) -> int:
    """The id of the most frequent value: after 0 (missing) and those of the values outside of the vocabulary."""
    return 1 + feature.oov_buckets


def feature_layout(features: Mapping[str, Feature], analysed: Analysed) -> FeatureLayout:
    """The layout that the features have, given what the train split says.

    Args:
        features: by name, in the recipe's order, each embedded one with its `dim` filled in.
        analysed: of the train split.
    """
    tables: dict[str, tuple[int, int]] = {}
    for name, feature in features.items():
        table = table_of(name, feature)
        if isinstance(feature, Categorical | MultiValued) and feature.hash_buckets is not None:
            rows = 1 + feature.hash_buckets * (2 if feature.quotient_remainder else 1)
        elif isinstance(feature, Categorical | MultiValued):
            rows = first_vocabulary_id(feature) + analysed.vocabulary_sizes[table]
        elif isinstance(feature, Bucketised):
            rows = 1 + len(analysed.boundaries[name]) + 1
        else:
            continue
        if feature.dim is None:
            raise ValueError(f"feature {name!r}: its dim is not filled in")
        tables[table] = (rows, feature.dim)
    return FeatureLayout(
        tables=tables,
        categorical=tuple(
            (name, table_of(name, feature))
            for name, feature in features.items()
            if isinstance(feature, Categorical | Bucketised) and not is_quotient_remainder(feature)
        ),
        multivalued={
            name: (table_of(name, feature), *_list(feature))
            for name, feature in features.items()
            if isinstance(feature, MultiValued) or is_quotient_remainder(feature)
        },
        numeric=tuple(
            column
            for name, feature in features.items()
            if isinstance(feature, Numeric)
            for column in (name, missing_name(name))
        ),
        quotient_remainder=tuple(name for name, feature in features.items() if is_quotient_remainder(feature)),
    )


def is_quotient_remainder(feature: Feature) -> bool:
    """Whether a value's embedding is the sum of two rows."""
    return isinstance(feature, Categorical | MultiValued) and feature.quotient_remainder


def _list(feature: Feature) -> tuple[str, int]:
    """Pooling and width of a feature's list."""
    pooling, length = (feature.pooling, feature.max_length) if isinstance(feature, MultiValued) else ("sum", 1)
    return pooling, length * (2 if is_quotient_remainder(feature) else 1)


def missing_name(feature: str) -> str:
    """The input that says whether a numeric feature is missing (1) or not (0)."""
    return f"{feature}_missing"


def part_of(layout: FeatureLayout, features: Collection[str]) -> FeatureLayout:
    """The layout of some of the features, in the same order."""
    numbers = {*features, *map(missing_name, features)}
    return dataclasses.replace(
        layout,
        categorical=tuple(entry for entry in layout.categorical if entry[0] in features),
        multivalued={name: about for name, about in layout.multivalued.items() if name in features},
        numeric=tuple(name for name in layout.numeric if name in numbers),
        quotient_remainder=tuple(name for name in layout.quotient_remainder if name in features),
    )


def features_of(layout: FeatureLayout) -> tuple[str, ...]:
    """The features of a layout."""
    numbers = [name for name in layout.numeric if missing_name(name) in layout.numeric]
    return (*(name for name, _ in layout.categorical), *layout.multivalued, *numbers)
