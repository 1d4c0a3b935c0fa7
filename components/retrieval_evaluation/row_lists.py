"""A list of item rows for each query, all in one array."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int32]


@dataclasses.dataclass(frozen=True)
class RowLists:
    """n lists. List i is `rows[offsets[i] : offsets[i + 1]]`.

    Attributes:
        offsets: (n + 1,) int64, rising from 0.
        rows: (all lists together,) int32.
    """

    offsets: NDArray[np.int64]
    rows: Rows

    @classmethod
    def of(cls, lists: Iterable[Iterable[int]]) -> RowLists:
        """From lists of whole numbers."""
        arrays = [np.fromiter(one, np.int32) for one in lists]
        lengths = [len(one) for one in arrays]
        return cls(np.cumsum([0, *lengths], dtype=np.int64), np.concatenate([np.zeros(0, np.int32), *arrays]))

    @classmethod
    def empty(cls, number: int) -> RowLists:
        """So many lists without anything in them."""
        return cls(np.zeros(number + 1, np.int64), np.zeros(0, np.int32))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> Rows:
        return self.rows[self.offsets[index] : self.offsets[index + 1]]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """(n,)"""
        return np.diff(self.offsets)

    @property
    def owners(self) -> NDArray[np.int64]:
        """(all lists together,) the number of each row's list."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def part(self, start: int, stop: int) -> RowLists:
        """The lists from `start` to before `stop`."""
        offsets = self.offsets[start : stop + 1]
        return RowLists(offsets - offsets[0], self.rows[offsets[0] : offsets[-1]])
