"""The stage's part of the recipe, and nothing else: a changed learning rate must not run the stage again."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Literal

from models.recipe.recipe import Recipe
from models.recipe.stage_plan import StagePlan
from models.retrieval.plan import RetrievalPlan

_MICROSECOND = datetime.timedelta(microseconds=1)


class PriorPlan(StagePlan):
    """As `models.recipe.retrieval.Prior`, the window in microseconds."""

    kind: Literal["popularity", "rate"]
    window: int


class InteractionsPlan(StagePlan):
    """The stage's part of the recipe, passed as JSON text.

    Attributes:
        user, item: the columns that name them.
        tasks: {binary task: weight of an impression in which it happened}.
        impression: weight of every impression, 0 where being in the log is no choice.
        user_columns, item_columns: raw columns that the user's and the item's tower read, but for `user` and `item`.
        history: length of the histories; 0 for none.
        history_feature: the feature whose ids they hold; "" for none.
        prior: what is added to the items' scores.
        item_ttl: microseconds without an impression after which an item is dropped.
        exclude_seen: whether items that a user chose already are not asked for.
        max_queries: most users that are asked about.
    """

    user: str
    item: str
    tasks: Mapping[str, float]
    impression: float
    user_columns: tuple[str, ...]
    item_columns: tuple[str, ...]
    history: int
    history_feature: str
    prior: PriorPlan | None
    item_ttl: int | None
    exclude_seen: bool
    max_queries: int

    @classmethod
    def from_recipe(cls, recipe: Recipe) -> InteractionsPlan:
        """The plan for a recipe with a section `retrieval`.

        Raises:
            ValueError: it has none.
        """
        section = recipe.retrieval
        if section is None:
            raise ValueError("a recipe with a section retrieval")
        towers = RetrievalPlan.from_recipe(recipe)
        impressions = recipe.logs.impressions if recipe.logs else None
        return cls(
            user=section.user,
            item=section.item,
            # The recipe's checks guarantee that no task has the stream's name.
            tasks={name: weight for name, weight in section.positives.items() if name in recipe.tasks},
            impression=sum(
                weight for name, weight in section.positives.items() if name == impressions and name not in recipe.tasks
            ),
            user_columns=tuple(column for column in towers.user_inputs if column != section.user),
            item_columns=tuple(column for column in towers.item_inputs if column != section.item),
            history=section.history,
            history_feature=towers.history_feature,
            prior=PriorPlan(kind=section.prior.kind, window=section.prior.window // _MICROSECOND)
            if section.prior
            else None,
            item_ttl=section.item_ttl // _MICROSECOND if section.item_ttl else None,
            exclude_seen=section.exclude_seen,
            max_queries=section.max_queries,
        )
