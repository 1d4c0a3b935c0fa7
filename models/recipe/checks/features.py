"""The checks of the section `features`: columns, sides, shared embeddings, labels that must not leak."""

from __future__ import annotations

from collections.abc import Iterator

from models.recipe.checks.problem import Problem
from models.recipe.features import Bucketised, Categorical, MultiValued, Numeric, column_of, feature_columns, raw_type
from models.recipe.recipe import Recipe


def feature_problems(recipe: Recipe) -> Iterator[Problem]:
    columns = feature_columns(recipe.features)
    tables: dict[str, str] = {}
    for name, feature in recipe.features.items():
        at = ("features", name)
        column = column_of(name, feature)
        first = columns[column]
        if raw_type(first) != raw_type(feature) or isinstance(first, MultiValued) != isinstance(feature, MultiValued):
            yield (
                at,
                f"another feature reads the column {column!r} as {first.kind} {raw_type(first)}, this one as "
                f"{feature.kind} {raw_type(feature)}. A column has one type: agree on it, or log it twice.",
            )
        if (first.side == "user") != (feature.side == "user"):
            yield (
                at,
                f"another feature reads the column {column!r} on the side {first.side!r}, this one on the side "
                f"{feature.side!r}: a ranking request has it once, or once for each candidate. Agree on the side.",
            )
        if f"{name}_missing" in recipe.features and isinstance(feature, Numeric):
            yield (
                ("features", f"{name}_missing"),
                f"the name is taken by the input that says whether {name!r} is missing. Choose another.",
            )
        if isinstance(feature, Bucketised):
            if (feature.buckets is None) == (feature.boundaries is None):
                yield at, "expected either 'buckets' (how many, at quantiles) or 'boundaries' (the limits themselves)."
            if feature.boundaries is not None and (
                not feature.boundaries or list(feature.boundaries) != sorted(set(feature.boundaries))
            ):
                yield (*at, "boundaries"), f"expected rising numbers, received {list(feature.boundaries)}."
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
                    f"a feature is called {feature.embedding!r} and has its own table. To share it, write "
                    f"'embedding: {feature.embedding}' there as well.",
                )
            other = tables.setdefault(feature.embedding, name)
            for key in ("type", "vocabulary", "min_count", "oov_buckets", "hash_buckets", "quotient_remainder", "dim"):
                ours, theirs = getattr(feature, key), getattr(recipe.features[other], key)
                if ours != theirs:
                    yield (
                        at,
                        f"shares the embedding {feature.embedding!r} with {other!r}, so {key} must agree: "
                        f"{theirs!r} there, {ours!r} here.",
                    )
        for task_name, task in recipe.tasks.items():
            if task.label is not None and task.label.column == column:
                yield (
                    at,
                    f"the column {column!r} is the label of the task {task_name!r}: the model would read the answer. "
                    "Remove the feature.",
                )


def _hashed(at: tuple[str, str], feature: Categorical | MultiValued) -> Iterator[Problem]:
    if feature.hash_buckets is None:
        if feature.vocabulary is None:
            yield at, "without a vocabulary it needs 'hash_buckets': how many ids its values share. Example: 1000000."
        if feature.quotient_remainder:
            yield (
                (*at, "quotient_remainder"),
                "is for features without a vocabulary: write 'vocabulary: null' and 'hash_buckets: <rows of each table>'.",
            )
        return
    if feature.vocabulary is not None:
        yield (
            (*at, "hash_buckets"),
            "gives every value an id by its hash, a vocabulary the frequent ones an id of their own. Write "
            "'vocabulary: null' beside it, or remove it and give the rare values 'oov_buckets'.",
        )
    for key in ("min_count", "oov_buckets"):
        if getattr(feature, key) != 1:
            yield (
                (*at, key),
                f"says which values a vocabulary leaves out; with 'hash_buckets' there is none. Remove '{key}'.",
            )
