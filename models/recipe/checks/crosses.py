"""Checks of a feature of kind `cross`: what else reads its columns."""

from __future__ import annotations

from collections.abc import Iterator

from models.recipe.checks.problem import Problem
from models.recipe.cross import Cross
from models.recipe.features import column_types, feature_columns, has_list
from models.recipe.recipe import Recipe


def cross_problems(recipe: Recipe, name: str, cross: Cross) -> Iterator[Problem]:
    """The problems of one cross."""
    at = ("features", name)
    if len(set(cross.columns)) != len(cross.columns):
        yield (*at, "columns"), f"expected distinct columns, received {list(cross.columns)}."
    readers, types = feature_columns(recipe.features), column_types(recipe.features)
    for place, column in enumerate(cross.columns):
        reader, here = readers[column], (*at, "columns", place)
        if has_list(reader):
            yield (
                here,
                f"another feature reads the column {column!r} as {reader.kind}: it has several values per example. Choose a column "
                "with one value.",
            )
        elif types[column] == "float":
            yield (
                here,
                f"another feature reads the column {column!r} as numbers. A cross needs texts or whole numbers: if the values are "
                "whole, write a feature of the column with 'kind: categorical, type: integer'; otherwise log its interval as a "
                "column of its own.",
            )
        if reader.served_as is not None:
            yield (
                here,
                f"the column {column!r} has 'served_as' in another feature, so requests have no combinations with it. Choose another "
                "column.",
            )
        if cross.side != "context" and reader.side != cross.side:
            yield (
                (*at, "side"),
                f"the column {column!r} is of side {reader.side}, so the cross does not describe the {cross.side} alone. Write "
                "'side: context'.",
            )
