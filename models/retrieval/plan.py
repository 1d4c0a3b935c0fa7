"""The retrieval trainer's part of the recipe. Other changes, such as a gate, do not retrain the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from models.features.layout import table_of
from models.recipe.features import (
    Categorical,
    Feature,
    MultiValued,
    RawType,
    column_of,
    column_types,
    feature_columns,
    has_list,
)
from models.recipe.recipe import Recipe
from models.recipe.retrieval import Retrieval
from models.recipe.retrieval_columns import column_type, history_feature, item_features, user_features
from models.recipe.stage_plan import StagePlan
from models.recipe.vector import Vector
from models.serving.plan import InputPlan

HISTORY, EXCLUDE = "history", "exclude"
"""Inputs of the served model besides the user's columns: the user's last items, and items to exclude."""

PRIOR_COLUMN, VECTOR_COLUMN = "gatewise/prior", "gatewise/vector"
"""Columns of an item table: the prior of an item, and its vector with the prior as last entry."""


ITEMS_FILE = "assets.extra/items.parquet"
"""Files of an exported model: its item table, and the vector of each item."""


class IdPlan(StagePlan):
    """A column of user ids or item ids."""

    column: str
    type: Literal["bytes", "int"]


class RetrievalPlan(StagePlan):
    """The retrieval trainer's part of the recipe, passed as JSON in the Trainer's `custom_config`.

    Attributes:
        user, item: columns of the user ids and item ids.
        user_features, item_features: features of each tower.
        wide_tables: embedding tables of user ids and item ids, which have width `dim` here, whatever their width in the
            ranker.
        history_feature: the feature that encodes the history; "" without a history.
        user_inputs, item_inputs: {raw column: ...} of the user in a request and of an item.
        prior: whether items have a prior. Its values are in the item table.
        options: the section `retrieval`.
        seed: seed of initial values and order.
    """

    user: IdPlan
    item: IdPlan
    user_features: tuple[str, ...]
    item_features: tuple[str, ...]
    wide_tables: tuple[str, ...]
    history_feature: str
    user_inputs: Mapping[str, InputPlan]
    item_inputs: Mapping[str, InputPlan]
    prior: bool
    options: Retrieval
    seed: int

    @classmethod
    def from_recipe(cls, recipe: Recipe) -> RetrievalPlan:
        """Makes the plan of a recipe with a section `retrieval`.

        Raises:
            ValueError: the recipe has no such section.
        """
        section = recipe.retrieval
        if section is None:
            raise ValueError("a recipe with a section retrieval")
        of_user, of_item = user_features(recipe, section), item_features(recipe)
        types = column_types(recipe.features)
        ids = (section.user, section.item)
        wide = [
            table_of(name, feature)
            for name, feature in {**of_user, **of_item}.items()
            if isinstance(feature, Categorical | MultiValued) and column_of(name, feature) in ids
        ]
        history = history_feature(recipe, section) if section.history else ""
        return cls(
            user=_id(recipe, section.user),
            item=_id(recipe, section.item),
            user_features=tuple(of_user),
            item_features=tuple(of_item),
            wide_tables=tuple(dict.fromkeys(wide)),
            history_feature=history,
            user_inputs=_inputs(of_user, types),
            item_inputs=_inputs(of_item, types),
            prior=section.prior is not None,
            options=section.model_copy(update=_FOR_OTHERS),
            seed=recipe.training.seed,
        )


_FOR_OTHERS = {
    "positives": {"": 1.0},
    "prior": None,
    "item_ttl": None,
    "exclude_seen": True,
    "k": (1,),
    "max_queries": 1,
    "gates": (),
}
"""Keys of the section that only other stages read."""


def _id(recipe: Recipe, column: str) -> IdPlan:
    return IdPlan(column=column, type=column_type(recipe, column))


def _inputs(features: Mapping[str, Feature], types: Mapping[str, RawType]) -> dict[str, InputPlan]:
    columns: dict[str, InputPlan] = {}
    for column, feature in feature_columns(features).items():
        columns.setdefault(
            column,
            InputPlan(
                type=types[column],
                multivalued=has_list(feature),
                side=feature.side,
                separator=feature.separator if isinstance(feature, MultiValued) else None,
                length=feature.dim if isinstance(feature, Vector) else None,
            ),
        )
    return columns
