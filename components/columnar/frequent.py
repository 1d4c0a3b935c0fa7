"""How often values occur, in bounded memory: exactly up to a number of distinct values, then the frequent ones.

Beyond that number the summary of Misra and Gries takes over, in the mergeable form of Agarwal et al. (Mergeable
Summaries, PODS 2012, https://doi.org/10.1145/2213556.2213562): of m > capacity distinct values, the (k+1)-th largest
count t, k = capacity // 2, is taken from all counts, and what is left with nothing is dropped. Each time at least
(k+1) t occurrences go, so all t together, the `error`, are at most occurrences / (k+1):

    count - error <= estimate <= count        of every value, those that were dropped with the estimate 0 included

So a value that occurs more than `error` times oftener than another one comes before it, whatever the order of the rows.
Which of two values comes first whose counts are closer than that, does depend on the order and the division of the rows;
the same files give the same. Keeping k of up to 2k values, not all that fit, is a deviation that lets merges be rare.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from components.columnar.counts import Counts, count_values, merge_counts

MOST_DISTINCT = 2**21
"""Distinct values of a table up to which its counts are exact; four times the vocabulary where that is more."""


@dataclasses.dataclass(frozen=True)
class Frequent:
    """Estimated counts of the values that occur often.

    Attributes:
        counts: of the values, each at most the true one.
        capacity: distinct values up to which the counts are exact; the largest number of them.
        error: the most that a value occurs oftener than estimated; 0 where everything is exact.
    """

    counts: Counts
    capacity: int
    error: int = 0


def keep_most(counts: Counts, fit: int) -> tuple[Counts, int]:
    """A step of Misra and Gries' summary: the most frequent values, and by how much less their counts are now.

    All counts are lowered by the largest one that does not fit, and values of which nothing is left go: at most `fit` stay.

    Args:
        counts: each at least 1.
        fit: values that there is room for; as many as there are, or more, and nothing changes.
    """
    place = len(counts.counts) - fit - 1
    if place < 0:
        return counts, 0
    taken = int(np.partition(counts.counts, place)[place])
    left = counts.counts > taken
    return Counts(counts.values.filter(pa.array(left)), counts.counts[left] - taken), taken


def count_frequent(values: pa.Array, vocabulary: int) -> Frequent:
    """The counts of an array without nulls, for a vocabulary of at most so many values."""
    return _fit(Frequent(count_values(values), max(MOST_DISTINCT, 4 * vocabulary)))


def merge_frequent(parts: Sequence[Frequent]) -> Frequent:
    """The counts of all parts' rows together; at least one part, all of one type."""
    if len(parts) == 1:
        return parts[0]
    counts = merge_counts([part.counts for part in parts])
    return _fit(Frequent(counts, max(part.capacity for part in parts), sum(part.error for part in parts)))


def _fit(found: Frequent) -> Frequent:
    size = len(found.counts.counts)
    counts, taken = keep_most(found.counts, size if size <= found.capacity else found.capacity // 2)
    return Frequent(counts, found.capacity, found.error + taken)
