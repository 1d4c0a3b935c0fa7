"""The simple methods by name: what a model that learns must be worth more than."""

from __future__ import annotations

from collections.abc import Callable

from components.retrieval_evaluation.co_occurrence import co_occurrence_scores
from components.retrieval_evaluation.eval_queries import EvalQueries
from components.retrieval_evaluation.exact_top_k import exact_top_k, top_k_of_ranking
from components.retrieval_evaluation.popularity import popular, popular_last_day
from components.retrieval_evaluation.row_lists import Rows


def _popular(asked: EvalQueries, k: int) -> Rows:
    return top_k_of_ranking(popular(asked.popularity), k, asked.excluded)


def _popular_last_day(asked: EvalQueries, k: int) -> Rows:
    return top_k_of_ranking(popular_last_day(asked.popularity, asked.train), k, asked.excluded)


def _co_occurrence(asked: EvalQueries, k: int) -> Rows:
    return exact_top_k(co_occurrence_scores(asked), len(asked), asked.items, k, asked.excluded)


METHODS: dict[str, Callable[[EvalQueries, int], Rows]] = {
    "popular": _popular,
    "popular_last_day": _popular_last_day,
    "co_occurrence": _co_occurrence,
}
"""Name, as in `models.recipe.retrieval.BASELINES` -> the k best items of each query, as `exact_top_k` gives them."""
