"""How good lists of items are where the true value of every item for every user is known.

For a visitor with the values v_1 .. v_n of all items, the k items T of the largest value, and a list L of k items:

    recall@k = |L & T| / k
    value@k  = (sum of v over L) / (sum of v over T)        1 - value@k is the regret

and the mean of both over all visitors.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from components.retrieval_evaluation.exact_top_k import NO_ITEM, exact_top_k
from components.retrieval_evaluation.row_lists import RowLists, Rows

Matrix = NDArray[np.float64]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Worth:
    """A line of the table: what one method's lists are worth.

    Attributes:
        method: its name.
        recall: recall@k.
        value: value@k.
        coverage: distinct items in any visitor's list, as a share of all items.
    """

    method: str
    recall: float
    value: float
    coverage: float


def best(scores: NDArray[np.floating], k: int) -> Rows:
    """The k items of the largest scores for each visitor.

    Args:
        scores: (visitor, item); -inf for an item that is no candidate.
        k: at least 1.

    Returns:
        (visitor, min(k, items)) int32, the best first, of equal ones the smaller number first; NO_ITEM behind the last.
    """
    visitors, items = scores.shape
    # A copy: what is excluded would be written into the block.
    return exact_top_k(lambda start, stop: scores[start:stop].copy(), visitors, items, k, RowLists.empty(visitors))


def among(scores: NDArray[np.floating], candidates: Rows) -> NDArray[np.floating]:
    """The scores of each visitor's candidates, and -inf for all other items.

    Args:
        scores: (visitor, item).
        candidates: (visitor, candidate) items, NO_ITEM for none.
    """
    visitor, place = np.nonzero(candidates != NO_ITEM)
    item = candidates[visitor, place]
    found = np.full_like(scores, -np.inf)
    found[visitor, item] = scores[visitor, item]
    return found


def held(lists: Rows, top: Rows) -> float:
    """The mean share of a visitor's true best items that are in a list: no ranking of it has a larger recall.

    Args:
        lists: (visitor, any) items, NO_ITEM for none.
        top: (visitor, k) the true best items.
    """
    return float(np.mean([np.isin(mine, found).mean() for found, mine in zip(lists, top, strict=True)]))


def worth(method: str, lists: Rows, values: Matrix, k: int) -> Worth:
    """What the first k places of the lists are worth.

    Args:
        method: its name.
        lists: (visitor, at least min(k, items)) items, the best first, each once; NO_ITEM counts as an item of no value.
        values: (visitor, item) true values.
        k: at least 1.
    """
    top, first = best(values, k), lists[:, :k]
    return Worth(
        method=method,
        recall=held(first, top),
        value=float(np.mean(_sums(first, values) / _sums(top, values))),
        coverage=len(np.unique(first[first != NO_ITEM])) / values.shape[1],
    )


def compare(methods: Mapping[str, Rows], values: Matrix, k: int) -> list[Worth]:
    """`worth` of each method's lists, in their order."""
    return [worth(name, lists, values, k) for name, lists in methods.items()]


def _sums(rows: Rows, values: Matrix) -> NDArray[np.float64]:
    """(visitor,) the value of each list."""
    found: NDArray[np.float64] = np.where(rows != NO_ITEM, np.take_along_axis(values, rows, axis=1), 0.0).sum(axis=1)
    return found
