"""Maximal marginal relevance: a ranking that trades relevance against the similarity of its items."""

from __future__ import annotations

import numpy as np

from models.recipe.errors import InputError


def scaled(scores: np.ndarray) -> np.ndarray:
    """(item,) float64: (score - lowest) / (highest - lowest), from 0 to 1. All 0 if all scores are equal.

    Args:
        scores: (item,). -inf gives 0 and inf gives 1. NaN gives 0, because it is last in a ranking.
    """
    finite = scores[np.isfinite(scores)].astype(np.float64)
    low, high = (finite.min(), finite.max()) if len(finite) else (0.0, 0.0)
    width = high - low or 1.0
    return np.clip(
        (np.nan_to_num(scores.astype(np.float64), nan=low, posinf=high + width, neginf=low) - low) / width, 0, 1
    )


def diversified(relevance: np.ndarray, vectors: np.ndarray, count: int, diversity: float) -> np.ndarray:
    """Selects items one by one, by relevance and by dissimilarity to the items selected so far.

    The next item is the remaining item i with the largest

        (1 - diversity) relevance_i - diversity max over the selected j of cos(vector_i, vector_j)

    The maximum is 0 for the first item. Ties go to the first item.

    J. Carbonell and J. Goldstein, The Use of MMR, Diversity-Based Reranking for Reordering Documents and Producing
    Summaries, SIGIR 1998, https://doi.org/10.1145/290941.291025. Their lambda is 1 - diversity; the relevance here is a
    ranker's score, not the similarity to a query.

    Args:
        relevance: (item,), from 0 to 1 as returned by `scaled`, so that its scale matches a cosine's.
        vectors: (item, dim). A vector of length 0 has similarity 0 to all others.
        count: maximum number of items to select.
        diversity: from 0 (relevance only) to 1 (dissimilarity only).

    Returns:
        (min(count, item),) int64: positions of the items, in order of selection.

    Raises:
        InputError: the diversity is outside of 0 to 1.
    """
    if not 0 <= diversity <= 1:
        raise InputError(f"diversity: expected a number from 0 to 1, received {diversity}.")
    vectors = vectors.astype(np.float64)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    units = vectors / np.where(lengths == 0, 1, lengths)
    relevant = (1 - diversity) * relevance
    likeness = np.zeros(len(relevance))  # (item,): the largest cosine with a selected item
    left = np.ones(len(relevance), bool)
    chosen: list[int] = []
    while len(chosen) < min(count, len(relevance)):
        best = int(np.argmax(np.where(left, relevant - diversity * likeness, -np.inf)))
        cosines = units @ units[best]
        likeness = np.maximum(likeness, cosines) if chosen else cosines
        left[best] = False
        chosen.append(best)
    return np.array(chosen, np.int64)
