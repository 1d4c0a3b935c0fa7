"""Columns and features of the section `retrieval`: column types, and the features of each tower."""

from __future__ import annotations

from typing import Literal

from models.recipe.features import Categorical, Feature, column_of, column_types
from models.recipe.recipe import Recipe
from models.recipe.retrieval import Retrieval


def column_type(recipe: Recipe, column: str) -> Literal["bytes", "int"]:
    """Type of a column with user or item ids: the type that the features give it, or text if none reads it.

    `models.recipe.checks.retrieval` refuses a column of floats.
    """
    return "int" if column_types(recipe.features).get(column) == "int" else "bytes"


def user_features(recipe: Recipe, section: Retrieval) -> dict[str, Feature]:
    """Features of the user tower besides the history: those of side `user`, and the section's `context`."""
    return {
        name: feature for name, feature in recipe.features.items() if feature.side == "user" or name in section.context
    }


def item_features(recipe: Recipe) -> dict[str, Feature]:
    """Features of the item tower: those of side `item`."""
    return {name: feature for name, feature in recipe.features.items() if feature.side == "item"}


def history_feature(recipe: Recipe, section: Retrieval) -> str:
    """Name of the feature that encodes the items of the history, or "".

    It is the first categorical item feature that reads the item column and has a single id per value: with a vocabulary
    or `hash_buckets`, but not with `quotient_remainder`, which has two.
    """
    for name, feature in item_features(recipe).items():
        if (
            isinstance(feature, Categorical)
            and not feature.quotient_remainder
            and column_of(name, feature) == section.item
        ):
            return name
    return ""
