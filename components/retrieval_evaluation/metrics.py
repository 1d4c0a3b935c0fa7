"""Retrieval metrics of the answers, as means over all eval queries.

For a query with the relevant items R and the answer a_1, a_2, ..., cut to the first k items:

    recall@k = |{a_1..a_k} & R| / |R|
    ndcg@k   = sum over hits at place p of 1 / log2(p + 1), divided by the same sum over p = 1 .. min(k, |R|)
    mrr      = 1 / p of the first hit within the largest k, 0 without one

and over all eval queries together:

    coverage@k        = distinct items in the first k of any answer / items
    popularity_bias@k = mean over eval queries of the mean popularity of their first k answered items,
                        divided by the mean over eval queries of the mean popularity of their relevant items

    weighted_recall@k = sum of w over the hits in the first k of all answers / sum of w over all relevant items

A bias of 1 means that the answered items are as popular as the chosen ones. `exposure` explains the weights w. If the truly
best items of a query are known, with T the min(k, items that can be answered) best ones:

    true_recall@k = |{a_1..a_k} & T| / |T|        mean over the queries with known best items
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from components.evaluation.scores import Value
from components.retrieval_evaluation.ratio import Ratio
from components.retrieval_evaluation.row_lists import RowLists, Rows
from models.recipe.retrieval import TRUE_RECALL, WEIGHTED_RECALL, metric_names

MRR = "mrr"
LOWER_IS_BETTER = ("popularity_bias",)

_CELLS = 1 << 22


def measure(
    answers: Rows,
    relevant: RowLists,
    popularity: NDArray[np.int64],
    weights: NDArray[np.float64],
    ks: Sequence[int],
) -> tuple[dict[str, Value], dict[str, Ratio]]:
    """All metrics of one method's answers but the true recall; None if the denominator is 0.

    Args:
        answers: (eval_queries, at least min(max(ks), items)), rows of items, the best first, each once; -1 behind the last.
        relevant: for each query its relevant items, at least one, each once.
        popularity: (items,) how often each item was chosen before.
        weights: (items,) weight of each item in the weighted recall, above 0.
        ks: lengths, rising.

    Returns:
        `metric_names(ks)` -> value, and recall -> the ratio that it is.
    """
    if not len(relevant):
        return dict.fromkeys(metric_names(ks)), {}
    hits = _hits(answers, relevant, len(popularity))
    of_all = np.add.reduceat(weights[relevant.rows], relevant.offsets[:-1])
    wanted = relevant.lengths
    of_relevant = np.add.reduceat(popularity[relevant.rows].astype(np.float64), relevant.offsets[:-1]) / wanted
    found: dict[str, Value] = {}
    ratios: dict[str, Ratio] = {}
    for k in ks:
        first, here = answers[:, :k], hits[:, :k]
        ratios[f"recall@{k}"] = Ratio(here.sum(axis=1) / wanted, np.ones(len(wanted)))
        # The place of an item that is no hit may hold -1, whose weight does not count.
        ratios[f"{WEIGHTED_RECALL}@{k}"] = Ratio(np.where(here, weights[first], 0.0).sum(axis=1), of_all)
        found[f"ndcg@{k}"] = float(np.mean(_discounted(here) / _ideal(np.minimum(wanted, k))))
        found[f"coverage@{k}"] = len(np.unique(first[first >= 0])) / len(popularity)
        found[f"popularity_bias@{k}"] = _quotient(_mean_popularity(first, popularity), float(np.mean(of_relevant)))
    found[MRR] = float(np.mean(_reciprocal_ranks(hits[:, : ks[-1]])))
    found |= {name: ratio.value for name, ratio in ratios.items()}
    return {name: found[name] for name in metric_names(ks)}, ratios


def true_recalls(answers: Rows, best: Rows, ks: Sequence[int]) -> dict[str, Ratio]:
    """true_recall@k, over the queries with known best items.

    Args:
        answers: (eval_queries, places), as for `measure`.
        best: (eval_queries, at least min(max(ks), items)) rows of the truly best items, the best first; -1 behind the last.
        ks: lengths.

    Returns:
        Metric -> ratio, in the order of `ks`. Without a query it has no value.
    """
    asked = (best >= 0).any(axis=1)
    answers, best = answers[asked], best[asked]
    items = 1 + int(max(answers.max(initial=0), best.max(initial=0)))
    found: dict[str, Ratio] = {}
    for k in ks:
        top = best[:, :k]
        wanted = (top >= 0).sum(axis=1)
        lists = RowLists(np.concatenate([[0], np.cumsum(wanted)]).astype(np.int64), top[top >= 0])
        hits = _hits(answers[:, :k], lists, items)
        found[f"{TRUE_RECALL}@{k}"] = Ratio(hits.sum(axis=1) / wanted, np.ones(len(wanted)))
    return found


def _hits(answers: Rows, relevant: RowLists, items: int) -> NDArray[np.bool_]:
    """(eval_queries, places) whether the item answered there is relevant."""
    # One number for each pair of query and item; that of no item is nobody's.
    wanted = np.sort(relevant.owners * (items + 1) + relevant.rows + 1)
    hits = np.empty(answers.shape, np.bool_)
    step = max(1, _CELLS // max(answers.shape[1], 1))
    for start in range(0, len(answers), step):
        part = answers[start : start + step].astype(np.int64)
        keys = (np.arange(start, start + len(part)) * (items + 1))[:, None] + part + 1
        places = np.minimum(np.searchsorted(wanted, keys), len(wanted) - 1)
        hits[start : start + step] = wanted[places] == keys
    return hits


def _discounts(places: int) -> NDArray[np.float64]:
    return 1.0 / np.log2(np.arange(2, places + 2))


def _discounted(hits: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(eval_queries,)"""
    found: NDArray[np.float64] = hits @ _discounts(hits.shape[1])
    return found


def _ideal(lengths: NDArray[np.int64]) -> NDArray[np.float64]:
    """(eval_queries,) the discounted sum of so many hits in the first places."""
    sums: NDArray[np.float64] = np.cumsum(_discounts(int(lengths.max())))[lengths - 1]
    return sums


def _reciprocal_ranks(hits: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(eval_queries,)"""
    if not hits.shape[1]:
        return np.zeros(len(hits))
    return np.where(hits.any(axis=1), 1.0 / (1.0 + hits.argmax(axis=1)), 0.0)


def _mean_popularity(answers: Rows, popularity: NDArray[np.int64]) -> float | None:
    """The mean over the eval queries with an answer of their answered items' mean popularity."""
    there = answers >= 0
    numbers = there.sum(axis=1)
    sums = np.where(there, popularity[answers], 0).sum(axis=1)
    answered = numbers > 0
    return float(np.mean(sums[answered] / numbers[answered])) if answered.any() else None


def _quotient(number: float | None, divisor: float) -> Value:
    return None if number is None or divisor == 0.0 else number / divisor
