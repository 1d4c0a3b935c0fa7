"""Recommends items to a user with both models, in this process."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.json_values import jsonable
from pipeline.recommending.catalogue import vectors_of
from pipeline.recommending.diversity import diversified, scaled
from pipeline.recommending.pair import newest_pair
from pipeline.recommending.recommender import Recommender


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recommended:
    """The recommended items, and the number of candidates.

    Attributes:
        model: name and version of the models.
        tasks: tasks of the ranker.
        candidates: number of items that the retrieval model returned.
        items: {"item", "score", "retrieval_score", "tasks": {task: prediction}} per item, best first.
    """

    model: str
    tasks: tuple[str, ...]
    candidates: int
    items: list[dict[str, Any]]


def recommend(
    root: Path,
    user: Mapping[str, Any],
    *,
    k: int = 20,
    most_candidates: int | None = None,
    diversity: float = 0.0,
    weights: Mapping[str, float] | None = None,
    index: Path | None = None,
) -> Recommended:
    """Retrieves candidates for a user, ranks them, and returns the first k.

    Args:
        root: folder of the models, see `newest_pair`.
        user: {column: value or list of values} of the user and the context. The context is the same for all candidates.
            `history` and `exclude` are lists of item ids. {} is an unknown user.
        k: maximum number of items to return.
        most_candidates: maximum number of candidates to rank. None: all that the retrieval model returns.
        diversity: see `diversified`. 0 keeps the ranker's order.
        weights: overrides of tunable weights of the ranker's score.
        index: folder of an approximate index, used instead of the retrieval model's own.

    Raises:
        InputError: models, user or weights are invalid.
    """
    models = Recommender(newest_pair(root))
    found = models.ranked(user, most_candidates=most_candidates, weights=weights, index=index, vectors=bool(diversity))
    tasks = tuple(models.notes["tasks"])
    if found is None:
        return Recommended(model=models.pair.name, tasks=tasks, candidates=0, items=[])
    order = found.order
    if diversity:
        vectors = vectors_of(found.table, models.retrieval_notes["prior"])[order]
        order = order[diversified(scaled(found.answers["score"][order]), vectors, k, diversity)]
    return Recommended(
        model=models.pair.name,
        tasks=tasks,
        candidates=len(found.ids),
        items=[
            {
                "item": jsonable(np.array(found.ids[place], object)),
                "score": float(found.answers["score"][place]),
                "retrieval_score": float(found.similarities[place]),
                "tasks": {task: float(found.answers[task][place]) for task in tasks},
            }
            for place in order[:k].tolist()
        ],
    )
