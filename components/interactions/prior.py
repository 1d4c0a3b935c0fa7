"""What an item's score begins with, whoever asks: how often it was chosen of late."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

PSEUDO_IMPRESSIONS = 20.0
"""Impressions at the mean rate that every item is taken to have had besides its own."""

Counts = NDArray[np.int64]


def popularity(impressions: Counts, positives: Counts) -> NDArray[np.float32]:
    """prior[i] = ln((p[i] + 0.5) / (P + 0.5 n)): the item's share of the positives, each of the n items with half a one more.

    Args:
        impressions: (item,) in the window; not used.
        positives: (item,) p in the window; P is their sum.
    """
    return np.log((positives + 0.5) / (positives.sum() + 0.5 * len(positives))).astype(np.float32)


def rate(impressions: Counts, positives: Counts) -> NDArray[np.float32]:
    """prior[i] = ln((p[i] + m r) / (imp[i] + m)), r = P / IMP, m = PSEUDO_IMPRESSIONS: drawn towards the mean rate r.

    Without a positive in the window nothing tells the items apart: 0 for all.

    Args:
        impressions: (item,) imp in the window; IMP is their sum.
        positives: (item,) p in the window; P is their sum.
    """
    if not positives.sum():
        return np.zeros(len(positives), np.float32)
    mean = positives.sum() / impressions.sum()
    found = (positives + PSEUDO_IMPRESSIONS * mean) / (impressions + PSEUDO_IMPRESSIONS)
    return np.log(found).astype(np.float32)


PRIORS: dict[str, Callable[[Counts, Counts], NDArray[np.float32]]] = {"popularity": popularity, "rate": rate}
"""`models.recipe.retrieval.Prior.kind` -> (impressions, positives in the window) -> (item,)."""
