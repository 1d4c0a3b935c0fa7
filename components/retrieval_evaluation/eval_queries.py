"""What is asked, and what was known before: all that the methods answer from and are measured by. Arrays only."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from components.retrieval_evaluation.row_lists import RowLists, Rows


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainPositives:
    """The positives of the train split whose item can be answered, in the order of time.

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
    """Users of the eval split, asked what they will choose, as of the moment before the split begins.

    Attributes:
        relevant: for each query what the user did choose, at least one item, each once.
        excluded: what is not answered.
        history: what the user chose last, the newest first.
        popularity: (item,) int64: positives of each item in the train split.
        train: positives that the simple methods count.
    """

    relevant: RowLists
    excluded: RowLists
    history: RowLists
    popularity: NDArray[np.int64]
    train: TrainPositives

    def __len__(self) -> int:
        return len(self.relevant)

    @property
    def items(self) -> int:
        """How many items can be answered."""
        return len(self.popularity)
