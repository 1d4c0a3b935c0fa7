"""The eval queries and the train positives, as arrays: the input of all methods and metrics."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from components.retrieval_evaluation.row_lists import RowLists, Rows


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainPositives:
    """The positives of the train split with an item that can be answered, in order of time.

    Attributes:
        users: (positive,) int32, a number for each user.
        items: (positive,) int32, rows of items.
        times: (positive,) int64 microseconds.
        latest: microseconds of the split's last positive, whether its item can be answered or not.
    """

    users: NDArray[np.int32]
    items: Rows
    times: NDArray[np.int64]
    latest: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class EvalQueries:
    """Users of the eval split, as of the time before the split begins.

    Attributes:
        relevant: for each query, the items that the user chose: at least one, each once.
        excluded: for each query, the items that are not answered.
        history: for each query, the items that the user chose last, newest first.
        popularity: (item,) int64: positives of each item in the train split.
        exposure: (item,) int64: impressions of each item in the train split, at least 1.
        train: positives that the simple methods count.
        best: (query, at most the largest k) int32 rows of the truly best items that can be answered, the best first, NO_ITEM
            behind the last. A query without any has no known truth. None if no truth is known.
    """

    relevant: RowLists
    excluded: RowLists
    history: RowLists
    popularity: NDArray[np.int64]
    exposure: NDArray[np.int64]
    train: TrainPositives
    best: Rows | None = None

    def __len__(self) -> int:
        return len(self.relevant)

    @property
    def items(self) -> int:
        """Number of items that can be answered."""
        return len(self.popularity)
