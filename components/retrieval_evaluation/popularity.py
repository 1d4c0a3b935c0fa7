"""One ranking of the items for everybody, by how often they were chosen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from components.retrieval_evaluation.eval_queries import TrainPositives

DAY = 24 * 3600 * 1_000_000  # microseconds


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
