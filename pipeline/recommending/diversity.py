"""Maximal marginal relevance: a list whose items are good, and not all alike."""

from __future__ import annotations

import numpy as np

from models.recipe.errors import InputError


def scaled(scores: np.ndarray) -> np.ndarray:
    """(item,) float64: (score - lowest) / (highest - lowest), from 0 to 1; all 0 where all are equal.

    Args:
        scores: (item,). Infinities are 0 and 1, and what is no number is 0, as it comes last in a ranking.
    """
    finite = scores[np.isfinite(scores)].astype(np.float64)
    low, high = (finite.min(), finite.max()) if len(finite) else (0.0, 0.0)
    width = high - low or 1.0
    return np.clip(
        (np.nan_to_num(scores.astype(np.float64), nan=low, posinf=high + width, neginf=low) - low) / width, 0, 1
    )


def diversified(relevance: np.ndarray, vectors: np.ndarray, count: int, diversity: float) -> np.ndarray:
    """Chooses items one after the other, each by its relevance and by how little it is like those already chosen.

    The next one is the item i, of those left, with the largest

        (1 - diversity) relevance_i - diversity max over the chosen j of cos(vector_i, vector_j)

    where the maximum is 0 while nothing is chosen; of equal ones the first.

    J. Carbonell and J. Goldstein, The Use of MMR, Diversity-Based Reranking for Reordering Documents and Producing
    Summaries, SIGIR 1998, https://doi.org/10.1145/290941.291025. Their lambda is 1 - diversity; the relevance here is a
    ranker's score and not the similarity to a query.

    Args:
        relevance: (item,), from 0 to 1 as `scaled` gives it, so that it and a cosine are of one size.
        vectors: (item, dim). One of length 0 is like no other.
        count: items to choose; all where there are fewer.
        diversity: from 0, relevance alone, to 1, unlikeness alone.

    Returns:
        (min(count, item),) int64: positions of the items, in the order in which they are chosen.

    Raises:
        InputError: a diversity outside of 0 to 1.
    """
    if not 0 <= diversity <= 1:
        raise InputError(f"diversity: expected a number from 0 to 1, received {diversity}.")
    vectors = vectors.astype(np.float64)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    units = vectors / np.where(lengths == 0, 1, lengths)
    relevant = (1 - diversity) * relevance
    likeness = np.zeros(len(relevance))  # (item,): the largest cosine with one of the chosen
    left = np.ones(len(relevance), bool)
    chosen: list[int] = []
    while len(chosen) < min(count, len(relevance)):
        best = int(np.argmax(np.where(left, relevant - diversity * likeness, -np.inf)))
        cosines = units @ units[best]
        likeness = np.maximum(likeness, cosines) if chosen else cosines
        left[best] = False
        chosen.append(best)
    return np.array(chosen, np.int64)
