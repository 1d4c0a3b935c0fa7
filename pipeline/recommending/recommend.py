"""Recommends items to a user with both models, in this process."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from models.recipe.errors import InputError
from models.recipe.registry import lookup
from models.retrieval.inference import load_retrieval
from models.retrieval.plan import ITEMS_FILE, VECTOR_COLUMN
from models.serving.inference import RANK, load_named
from models.serving.inputs import read_inputs
from models.serving.named_rows import rank_columns
from pipeline.json_values import jsonable
from pipeline.recommending.candidates import candidates
from pipeline.recommending.catalogue import items_of, rows_of, vectors_of
from pipeline.recommending.diversity import diversified, scaled
from pipeline.recommending.pair import newest_pair
from pipeline.recommending.user import WHERE, parts_of


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
    pair = newest_pair(root)
    notes = read_inputs(pair.ranker)
    of_ranker, of_retrieval = parts_of(user, notes, read_inputs(pair.retrieval))
    chosen_weights = _checked(weights or {}, notes["weights"])
    retrieval = load_retrieval(pair.retrieval)
    ids, similarities = candidates(retrieval, of_retrieval, most_candidates, index, WHERE)
    tasks = tuple(notes["tasks"])
    if not ids:
        return Recommended(model=pair.name, tasks=tasks, candidates=0, items=[])
    of_items = [column for column, about in notes["inputs"].items() if about["side"] == "item"]
    item, path = retrieval.notes["item"]["column"], pair.retrieval / ITEMS_FILE
    table = items_of(path, item, ids, [*of_items, *([VECTOR_COLUMN] if diversity else [])])
    rows = rows_of(table.select([column for column in of_items if column in table.column_names]))
    page = rank_columns({"user": of_ranker, "candidates": rows}, notes["inputs"], WHERE)
    answers = load_named(pair.ranker, RANK)[0]({**page, **chosen_weights})
    order = answers["ranking"].astype(np.int64)
    if diversity:
        vectors = vectors_of(table, retrieval.notes["prior"])[order]
        order = order[diversified(scaled(answers["score"][order]), vectors, k, diversity)]
    return Recommended(
        model=pair.name,
        tasks=tasks,
        candidates=len(ids),
        items=[
            {
                "item": jsonable(np.array(ids[place], object)),
                "score": float(answers["score"][place]),
                "retrieval_score": float(similarities[place]),
                "tasks": {task: float(answers[task][place]) for task in tasks},
            }
            for place in order[:k].tolist()
        ],
    )


def _checked(weights: Mapping[str, float], tunable: Mapping[str, float]) -> dict[str, np.float32]:
    for name in weights:
        if not tunable:
            raise InputError(
                f"--weight {name}: this ranker has no tunable weights. With `serving.tunable_weights: true` in the recipe, "
                "the weights in `serving.weights` become inputs of the model."
            )
        lookup(name, tunable, "tunable weight", "--weight")
    return {name: np.float32(value) for name, value in weights.items()}
