"""A pushed pair of models that stays in memory: retrieves candidates for a user and ranks them."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from models.recipe.errors import InputError
from models.recipe.registry import lookup
from models.retrieval.inference import RetrievalModel, load_retrieval
from models.retrieval.plan import ITEMS_FILE, VECTOR_COLUMN
from models.serving.inference import RANK, load_named
from models.serving.inputs import read_inputs
from models.serving.named_rows import rank_columns
from pipeline.recommending.candidates import candidates
from pipeline.recommending.catalogue import items_of, rows_of
from pipeline.recommending.pair import Pair
from pipeline.recommending.user import WHERE, parts_of


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ranked:
    """The ranked candidates of a user.

    Attributes:
        ids: distinct ids of the candidates, bytes or int, as the retrieval model returned them.
        similarities: (candidate,) scores of the retrieval model.
        table: a row per candidate of the item table: the ranker's item columns, and the vector if it was asked for.
        answers: {task or "score": (candidate,)}.
        order: (candidate,) int64 positions of the candidates, best first.
    """

    ids: list[Any]
    similarities: np.ndarray
    table: pa.Table
    answers: Mapping[str, np.ndarray]
    order: np.ndarray


class Recommender:
    """A ranker and its retrieval model. Each is loaded at its first use.

    Attributes:
        pair: folders of the models.
        notes: notes of the ranker, from `inputs.read_inputs`.
        retrieval_notes: notes of the retrieval model.
    """

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.notes, self.retrieval_notes = read_inputs(pair.ranker), read_inputs(pair.retrieval)

    @functools.cached_property
    def retrieval(self) -> RetrievalModel:
        return load_retrieval(self.pair.retrieval)

    @functools.cached_property
    def rank(self) -> Callable[[Mapping[str, Any]], dict[str, np.ndarray]]:
        """The ranker's signature `rank`, as `inference.load_named` returns it."""
        return load_named(self.pair.ranker, RANK)[0]

    def items(self, ids: list[Any], vectors: bool = False) -> pa.Table:
        """The ranker's item columns of some items, see `catalogue.items_of`. `vectors`: also the column of vectors."""
        of_items = item_columns(self.notes)
        path, item = self.pair.retrieval / ITEMS_FILE, self.retrieval_notes["item"]["column"]
        return items_of(path, item, ids, [*of_items, *([VECTOR_COLUMN] if vectors else [])])

    def ranked(
        self,
        user: Mapping[str, Any],
        *,
        most_candidates: int | None = None,
        weights: Mapping[str, float] | None = None,
        index: Path | None = None,
        vectors: bool = False,
    ) -> Ranked | None:
        """Retrieves candidates for a user and ranks them. None if no item is left.

        Args:
            user, most_candidates, weights, index: as in `recommend.recommend`.
            vectors: whether `Ranked.table` has the items' vectors.

        Raises:
            InputError: user or weights are invalid.
        """
        of_ranker, of_retrieval = parts_of(user, self.notes, self.retrieval_notes)
        chosen_weights = checked_weights(weights or {}, self.notes["weights"])
        ids, similarities = candidates(self.retrieval, of_retrieval, most_candidates, index, WHERE)
        if not ids:
            return None
        table = self.items(ids, vectors)
        rows = rows_of(table.select([name for name in table.column_names if name != VECTOR_COLUMN]))
        page = rank_columns({"user": of_ranker, "candidates": rows}, self.notes["inputs"], WHERE)
        answers = self.rank({**page, **chosen_weights})
        order = answers.pop("ranking").astype(np.int64)
        return Ranked(ids=ids, similarities=similarities, table=table, answers=answers, order=order)


def item_columns(notes: Mapping[str, Any]) -> list[str]:
    """The columns of the items that a ranker reads, from its notes."""
    return [column for column, about in notes["inputs"].items() if about["side"] == "item"]


def checked_weights(weights: Mapping[str, float], tunable: Mapping[str, float]) -> dict[str, np.float32]:
    """The overrides as inputs of the signature `rank`.

    Raises:
        InputError: the ranker has no such tunable weight.
    """
    for name in weights:
        if not tunable:
            raise InputError(
                f"--weight {name}: this ranker has no tunable weights. With `serving.tunable_weights: true` in the recipe, "
                "the weights in `serving.weights` become inputs of the model."
            )
        lookup(name, tunable, "tunable weight", "--weight")
    return {name: np.float32(value) for name, value in weights.items()}
