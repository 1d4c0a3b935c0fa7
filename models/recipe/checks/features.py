"""Checks of the section `features`: columns, sides, shared embeddings, leaked labels."""

from __future__ import annotations

from collections.abc import Iterator

from models.recipe.checks.crosses import cross_problems
from models.recipe.checks.problem import Problem
from models.recipe.cross import Cross
from models.recipe.features import (
    Bucketised,
    Categorical,
    Feature,
    MultiValued,
    Numeric,
    OneColumn,
    Periodic,
    PiecewiseLinear,
    column_of,
    columns_of,
    has_list,
    raw_type,
)
from models.recipe.recipe import Recipe
from models.recipe.vector import Vector


def feature_problems(recipe: Recipe) -> Iterator[Problem]:
    readers: dict[str, tuple[str, OneColumn]] = {}
    tables: dict[str, str] = {}
    for name, feature in recipe.features.items():
        yield from _answers(recipe, name, feature)
        if isinstance(feature, Cross):
            yield from cross_problems(recipe, name, feature)
            continue
        at = ("features", name)
        column = column_of(name, feature)
        reader, first = readers.setdefault(column, (name, feature))
        if _is_text(first) != _is_text(feature):
            text, number = (reader, name) if _is_text(first) else (name, reader)
            yield (
                at,
                f"{text!r} reads the column {column!r} as text, {number!r} as numbers. If its values are numbers, write "
                f"'type: integer' (whole numbers) or 'type: number' in {text!r}; otherwise log the column twice.",
            )
        if (has_list(first) or has_list(feature)) and first.kind != feature.kind:
            yield (
                at,
                f"{reader!r} reads the column {column!r} as {first.kind}, this feature as {feature.kind}. A column has one value, a "
                "list or a vector: use one kind, or log the column twice.",
            )
        if isinstance(first, Vector) and isinstance(feature, Vector):
            for key in ("dim", "separator"):
                if getattr(first, key) != getattr(feature, key):
                    yield (
                        (*at, key),
                        f"reads the same column as {reader!r}, so {key} must agree: {reader!r} has {getattr(first, key)!r}, this "
                        f"feature {getattr(feature, key)!r}.",
                    )
        if (first.side == "user") != (feature.side == "user"):
            yield (
                at,
                f"another feature reads the column {column!r} on the side {first.side!r}, this one on the side "
                f"{feature.side!r}. A ranking request has a column either once or once per candidate: use the same side.",
            )
        if f"{name}_missing" in recipe.features and isinstance(feature, Numeric | PiecewiseLinear | Periodic | Vector):
            yield (
                ("features", f"{name}_missing"),
                f"the name is reserved for the input that marks missing values of {name!r}. Choose another name.",
            )
        if isinstance(feature, Bucketised | PiecewiseLinear):
            yield from _intervals(at, feature)
        if isinstance(feature, Categorical | MultiValued):
            yield from _hashed(at, feature)
        if isinstance(feature, Categorical | MultiValued) and feature.embedding is not None:
            if (
                feature.embedding in recipe.features
                and feature.embedding != name
                and getattr(recipe.features[feature.embedding], "embedding", None) != feature.embedding
            ):
                yield (
                    (*at, "embedding"),
                    f"the feature {feature.embedding!r} has its own table. To share it, also write "
                    f"'embedding: {feature.embedding}' in that feature.",
                )
            other = tables.setdefault(feature.embedding, name)
            for key in ("type", "vocabulary", "min_count", "oov_buckets", "hash_buckets", "quotient_remainder", "dim"):
                ours, theirs = getattr(feature, key), getattr(recipe.features[other], key)
                if ours != theirs:
                    yield (
                        at,
                        f"shares the embedding {feature.embedding!r} with {other!r}, so {key} must agree: "
                        f"{other!r} has {theirs!r}, {name!r} has {ours!r}.",
                    )
        yield from _served(at, feature, first, reader)


def _answers(recipe: Recipe, name: str, feature: Feature) -> Iterator[Problem]:
    """Columns of a feature that a request does not have."""
    at = ("features", name)
    for column in columns_of(name, feature):
        if column == recipe.example_weight:
            yield (
                at,
                f"the column {column!r} is the weight of the examples, which a request does not have. Remove the feature.",
            )
        for task_name, task in recipe.tasks.items():
            # An auxiliary task is not served: to predict an input is one of its uses.
            if task.role == "main" and task.label is not None and task.label.column == column:
                yield (
                    at,
                    f"the column {column!r} is the label of the task {task_name!r}: the feature would leak the label. "
                    "Remove the feature, or write `role: auxiliary` in the task.",
                )


def _served(at: tuple[str, str], feature: OneColumn, first: OneColumn, reader: str) -> Iterator[Problem]:
    value, kind = feature.served_as, raw_type(feature)
    if value != first.served_as:
        yield (
            at,
            f"reads the same column as {reader!r}, so served_as must agree: {reader!r} has {first.served_as!r}, this feature "
            f"{value!r}.",
        )
    if value is None:
        return
    if has_list(feature):
        yield (*at, "served_as"), "a feature with several values per example has no single served value. Remove it."
    elif feature.side != "context":
        yield (
            (*at, "served_as"),
            f"the feature is of side {feature.side}, which a request knows. Remove 'served_as', or write 'side: context'.",
        )
    elif kind != "bytes" and (
        isinstance(value, str | bool) or (kind == "int" and isinstance(value, float) and not value.is_integer())
    ):
        number = {"int": "a whole number", "float": "a number"}[kind]
        yield (*at, "served_as"), f"expected {number}, as the feature reads its column; received {value!r}."


def _is_text(feature: OneColumn) -> bool:
    return raw_type(feature) == "bytes"


def _intervals(at: tuple[str, str], feature: Bucketised | PiecewiseLinear) -> Iterator[Problem]:
    if (feature.buckets is None) == (feature.boundaries is None):
        yield (
            at,
            "expected either 'buckets' (number of buckets, at quantiles) or 'boundaries' (a list of limits).",
        )
    if feature.boundaries is None:
        return
    fewest = 2 if isinstance(feature, PiecewiseLinear) else 1
    if len(feature.boundaries) < fewest or list(feature.boundaries) != sorted(set(feature.boundaries)):
        expected = "at least two increasing numbers" if fewest == 2 else "increasing numbers"
        yield (*at, "boundaries"), f"expected {expected}, received {list(feature.boundaries)}."


def _hashed(at: tuple[str, str], feature: Categorical | MultiValued) -> Iterator[Problem]:
    if feature.hash_buckets is None:
        if feature.vocabulary is None:
            yield (
                at,
                "a feature without a vocabulary needs 'hash_buckets', the number of ids that its values share. Example: 1000000.",
            )
        if feature.quotient_remainder:
            yield (
                (*at, "quotient_remainder"),
                "requires a feature without a vocabulary: write 'vocabulary: null' and 'hash_buckets: <rows of each table>'.",
            )
        return
    if feature.vocabulary is not None:
        yield (
            (*at, "hash_buckets"),
            "gives every value an id by its hash and cannot be combined with a vocabulary. Write 'vocabulary: null', "
            "or remove 'hash_buckets' and set 'oov_buckets' for the rare values.",
        )
    for key in ("min_count", "oov_buckets"):
        if getattr(feature, key) != 1:
            yield (
                (*at, key),
                f"applies to a vocabulary; a feature with 'hash_buckets' has none. Remove '{key}'.",
            )
