"""The simple methods, by name: baselines that a trained model must beat.

Popularity ranks the items alike for all users. Co-occurrence ranks the items of users who chose the same items: Linden, Smith,
York: Amazon.com Recommendations: Item-to-Item Collaborative Filtering, 2003 (https://doi.org/10.1109/MIC.2003.1167344), where
the similarity of two items is the cosine of their columns in the matrix of users and items. Here a cell is 0 or 1, and of a
user count the last items only, or few users with long lists would decide.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from components.retrieval_evaluation.eval_queries import EvalQueries, TrainPositives
from components.retrieval_evaluation.exact_top_k import ScoreBlock, exact_top_k, top_k_of_ranking
from components.retrieval_evaluation.row_lists import RowLists, Rows

DAY = 24 * 3600 * 1_000_000  # microseconds

MOST_ITEMS = 50
"""Distinct items of a user that count, the last ones."""


def popular(popularity: NDArray[np.int64] | NDArray[np.float32]) -> NDArray[np.int64]:
    """Rows of items, the most often chosen first; of equal ones the smaller row first.

    Args:
        popularity: (items,) positives of each, or another measure of it.
    """
    return np.argsort(-popularity, kind="stable")


def popular_last_day(popularity: NDArray[np.int64], train: TrainPositives) -> NDArray[np.int64]:
    """Rows of items, the most often chosen in the last 24 hours of the train split first, then as `popular`.

    The day ends with the split's last positive, and begins after the moment 24 hours before.

    Args:
        popularity: (items,) positives of each in all of the split.
        train: the positives.
    """
    lately = np.bincount(train.items[train.times > train.latest - DAY], minlength=len(popularity))
    return np.lexsort((-popularity, -lately))


def co_occurrence_scores(eval_queries: EvalQueries, most: int = MOST_ITEMS) -> ScoreBlock:
    """The scores of each query's items j, and below them, all negative, the other items by popularity.

        score[j] = sum over distinct items i of the history, i != j, of together(i, j) / sqrt(n_i n_j)

    together(i, j): users with both among their last `most` distinct items; n_i: users with i among them.

    Args:
        eval_queries: a query without history has the items by popularity alone.
        most: distinct items of a user that count.

    Returns:
        (start, stop) -> (stop - start, items) float32.
    """
    train = eval_queries.train
    users, items = last_items(train.users, train.items, most)
    histories = _distinct(eval_queries.history, eval_queries.items)
    asked = np.unique(histories.rows)
    similarities = similar_items(users, items, eval_queries.items, asked)
    places = np.searchsorted(asked, histories.rows)
    by_popularity = np.empty(eval_queries.items, np.float32)
    by_popularity[popular(eval_queries.popularity)] = -np.arange(1, eval_queries.items + 1)

    def scores(start: int, stop: int) -> NDArray[np.float32]:
        found = np.zeros((stop - start, eval_queries.items), np.float32)
        ends, others, values = similarities.indptr, similarities.indices, similarities.data
        for question, line in enumerate(found, start):
            # Half the time of a product of sparse matrices, which then has to become dense.
            for place in places[histories.offsets[question] : histories.offsets[question + 1]]:
                part = slice(ends[place], ends[place + 1])
                np.add.at(line, others[part], values[part])
        return np.where(found > 0.0, found, by_popularity)

    return scores


def last_items(users: NDArray[np.int32], items: Rows, most: int) -> tuple[NDArray[np.int32], Rows]:
    """The last `most` distinct items of each user: pairs of user and item, each once.

    Args:
        users: (positive,) in the order of time.
        items: (positive,).
        most: at least 1.

    Returns:
        (pair,) users, rising, and (pair,) items, a user's last one first.
    """
    backwards = slice(None, None, -1)
    _, newest = np.unique(_pairs(users, items)[backwards], return_index=True)
    newest.sort()
    # The distinct pairs from the newest on; stable, so each user's stay in that order.
    users, items = users[backwards][newest], items[backwards][newest]
    order = np.argsort(users, kind="stable")
    users, items = users[order], items[order]
    starts = np.flatnonzero(np.diff(users, prepend=-1))
    place = np.arange(len(users)) - np.repeat(starts, np.diff(starts, append=len(users)))
    return users[place < most], items[place < most]


def similar_items(users: NDArray[np.int32], items: Rows, number: int, asked: NDArray[np.int32]) -> sparse.csr_matrix:
    """The cosines of some items' users with all items' users, as a sparse matrix; that of an item with itself is left out.

    Args:
        users: (pair,) rising.
        items: (pair,) the items of these users, a pair once.
        number: of all items.
        asked: the items whose rows are wanted, rising.

    Returns:
        (asked, number) float32.
    """
    # Users that are nobody's owner would be empty rows.
    owners = np.unique(users, return_inverse=True)[1]
    ones = np.ones(len(users), np.float32)
    of_users = sparse.csr_matrix((ones, (owners, items)), shape=(int(owners.max(initial=-1)) + 1, number))
    # Whole numbers below 2^24: float32 holds them exactly.
    together = (of_users.T.tocsr()[asked] @ of_users).tocsr()
    counts = np.bincount(items, minlength=number).astype(np.float32)
    norms = np.sqrt(np.maximum(counts, 1.0))
    own = np.repeat(asked, np.diff(together.indptr))
    together.data /= norms[together.indices]
    together.data /= norms[own]
    together.data[together.indices == own] = 0.0
    return together


def _distinct(lists: RowLists, items: int) -> RowLists:
    """The lists with each item once, in the order of rows: sums of floats then do not depend on the order of a history."""
    pairs = np.unique(lists.owners * items + lists.rows)
    owners, rows = np.divmod(pairs, max(items, 1))
    return RowLists(np.searchsorted(owners, np.arange(len(lists) + 1)), rows.astype(np.int32))


def _pairs(users: NDArray[np.int32], items: Rows) -> NDArray[np.int64]:
    return users.astype(np.int64) << 32 | items.astype(np.int64)


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
