"""Exact top-k: finds the items with the largest scores by comparing all items. The reference for approximate indexes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.retrieval_evaluation.row_lists import RowLists, Rows

NO_ITEM = -1
"""Fills an answer's places after its last item."""

CELLS = 1 << 24
"""Number of scores in memory at once: 64 MiB of float32."""

ScoreBlock = Callable[[int, int], NDArray[Any]]
"""(start, stop) -> (stop - start, items): the scores of some eval queries, an array that the caller may write to."""


def products(queries: NDArray[np.float32], items: NDArray[np.float32]) -> ScoreBlock:
    """The scores of a two-tower model: score[q, i] = queries[q] . items[i].

    Args:
        queries: (eval_queries, dim).
        items: (items, dim).
    """
    return lambda start, stop: queries[start:stop] @ items.T


def exact_top_k(
    scores: ScoreBlock, eval_queries: int, items: int, k: int, excluded: RowLists, cells: int = CELLS
) -> Rows:
    """The k items of the largest scores for each query, the best first; of equal ones the smaller row first.

    Args:
        scores: of some eval queries and all items. A score of -inf is no answer.
        eval_queries: how many.
        items: how many.
        k: at least 1.
        excluded: for each query the items that are not answered.
        cells: scores in memory at once; what comes out does not depend on it.

    Returns:
        (eval_queries, min(k, items)) int32, NO_ITEM where a query has no further item.
    """
    answers = np.full((eval_queries, min(k, items)), NO_ITEM, np.int32)
    step = max(1, cells // max(items, 1))
    for start in range(0, eval_queries, step):
        stop = min(start + step, eval_queries)
        block = scores(start, stop)
        out = excluded.part(start, stop)
        block[out.owners, out.rows] = -np.inf
        for row, line in enumerate(block, start):
            best = _best(line, k)
            answers[row, : len(best)] = best
    return answers


def _best(scores: NDArray[Any], k: int) -> NDArray[np.int64]:
    found = np.arange(len(scores))
    if k < len(scores):
        least = np.partition(scores, len(scores) - k)[len(scores) - k]
        above = np.flatnonzero(scores > least)
        found = np.concatenate([above, np.flatnonzero(scores == least)[: k - len(above)]])
    # Stable, so that equal scores stay in the order of their rows.
    found = found[np.argsort(-scores[found], kind="stable")]
    return found[scores[found] > -np.inf]


def top_k_of_ranking(ranking: NDArray[Any], k: int, excluded: RowLists) -> Rows:
    """The first k items of one ranking for all, without each query's excluded ones.

    Args:
        ranking: (items,) rows, the best first, each once.
        k: at least 1.
        excluded: for each query the items that are not answered.

    Returns:
        As `exact_top_k`.
    """
    answers = np.full((len(excluded), min(k, len(ranking))), NO_ITEM, np.int32)
    place = np.empty(len(ranking), np.int64)
    place[ranking] = np.arange(len(ranking))
    for question in range(len(excluded)):
        out = np.unique(place[excluded[question]])
        head = np.delete(ranking[: k + len(out)], out[out < k + len(out)])[:k]
        answers[question, : len(head)] = head
    return answers
