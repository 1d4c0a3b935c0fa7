"""The independent units of the eval split: the rows of one group in one slice, or single rows."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluation.ordering import radix_argsort
from components.evaluation.slices import Indices, Slicing


@dataclasses.dataclass(frozen=True, kw_only=True)
class Clusters:
    """The clusters of a slicing, numbered by slice.

    Row i is in cluster `numbers[i]`. Slice s has `counts[s]` clusters; the last place is that of the rows in no slice.
    """

    numbers: NDArray[Any]
    counts: NDArray[np.int64]

    def by_slice(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """(slices + 1,) the sums of the clusters' values."""
        found = np.zeros(len(self.counts))
        there = self.counts > 0
        starts = (np.cumsum(self.counts) - self.counts)[there]
        if len(starts):
            found[there] = np.add.reduceat(values, starts, dtype=np.float64)
        return found

    def to_clusters(self, values: NDArray[Any]) -> NDArray[Any]:
        """(clusters,) the values of the clusters' slices."""
        return np.repeat(values, self.counts)


def group_order(groups: NDArray[Any]) -> tuple[NDArray[np.uint32], Indices]:
    """Numbers of the groups, and the rows by group. A row without a group (code -1) gets a number of its own.

    Args:
        groups: (n,) group codes.
    """
    alone = np.flatnonzero(groups < 0)
    numbers = groups.astype(np.uint32)
    numbers[alone] = int(groups.max(initial=-1)) + 1 + np.arange(len(alone))
    return numbers, radix_argsort(numbers)


def clusters(slicing: Slicing, grouped: tuple[NDArray[np.uint32], Indices] | None) -> Clusters:
    """The clusters of each slice.

    Args:
        slicing: slices of n rows.
        grouped: `group_order` of the same rows; None if every row is a cluster.
    """
    size = len(slicing.values) + 1
    order = np.arange(len(slicing.codes)) if grouped is None else grouped[1]
    order = order[radix_argsort(slicing.codes[order])]
    codes = slicing.codes[order]
    new = np.ones(len(order), np.bool_)
    if grouped is not None:
        groups = grouped[0][order]
        new[1:] = (groups[1:] != groups[:-1]) | (codes[1:] != codes[:-1])
    numbers = np.empty(len(order), np.int32 if len(order) < 2**31 else np.int64)
    numbers[order] = np.cumsum(new) - 1
    return Clusters(numbers=numbers, counts=np.bincount(codes[new], minlength=size))
