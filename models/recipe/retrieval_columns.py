"""What the section `retrieval` means by its names: the types of its columns, and the features that each tower reads."""

from __future__ import annotations

from typing import Literal

from models.recipe.features import Categorical, Feature, column_of, feature_columns, raw_type
from models.recipe.recipe import Recipe
from models.recipe.retrieval import Retrieval


def column_type(recipe: Recipe, column: str) -> Literal["bytes", "int"]:
    """The type of a column that names users or items: that of the feature which reads it, text where none does.

    A column of numbers is no name, and `recipe_retrieval_checks` refuses it.
    """
    feature = feature_columns(recipe.features).get(column)
    return "int" if feature is not None and raw_type(feature) == "int" else "bytes"


def user_features(recipe: Recipe, section: Retrieval) -> dict[str, Feature]:
    """The features that the user's tower reads besides the history: those of side `user`, and the section's `context`."""
    return {
        name: feature for name, feature in recipe.features.items() if feature.side == "user" or name in section.context
    }


def item_features(recipe: Recipe) -> dict[str, Feature]:
    """The features that the item's tower reads: those of side `item`."""
    return {name: feature for name, feature in recipe.features.items() if feature.side == "item"}


def history_feature(recipe: Recipe, section: Retrieval) -> str:
    """The feature whose ids the history holds, "" if there is none.

    It is the first categorical item feature that reads the item's column and whose ids are one column of the transformed
    examples: with a vocabulary or with `hash_buckets`, but not `quotient_remainder`, where an id is two.
    """
    for name, feature in item_features(recipe).items():
        if (
            isinstance(feature, Categorical)
            and not feature.quotient_remainder
            and column_of(name, feature) == section.item
        ):
            return name
    return ""
