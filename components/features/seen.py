"""How often values occur, and when first and last: `columnar.frequent` with two times for each value."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.columnar.frequent import Frequent, count_frequent, merge_frequent

NEVER, ALWAYS = np.iinfo(np.int64).max, np.iinfo(np.int64).min
"""A time after all impressions, and one before them."""


@dataclasses.dataclass(frozen=True)
class Seen:
    """The values that occur often.

    Attributes:
        frequent: their counts.
        first, last: (value,) int64: time of the first and the last impression with each. Once counts are no longer exact, of those
            since the value was last dropped.
    """

    frequent: Frequent
    first: np.ndarray
    last: np.ndarray


def see(values: pa.Array, times: np.ndarray, vocabulary: int) -> Seen:
    """What an array without nulls shows, for a vocabulary of at most so many values.

    Args:
        values: (value,).
        times: (value,) int64: the time of the impression of each value.
        vocabulary: size of the vocabulary.
    """
    return _with_times(count_frequent(values, vocabulary), values, times, times)


def merge_seen(parts: Sequence[Seen]) -> Seen:
    """What all parts' rows show together; at least one part, all of one type."""
    if len(parts) == 1:
        return parts[0]
    frequent = merge_frequent([part.frequent for part in parts])
    values = pa.concat_arrays([part.frequent.counts.values for part in parts])
    first, last = (np.concatenate([getattr(part, name) for part in parts]) for name in ("first", "last"))
    return _with_times(frequent, values, first, last)


def _with_times(frequent: Frequent, values: pa.Array, first: np.ndarray, last: np.ndarray) -> Seen:
    """The smallest `first` and the largest `last` of each value that is still counted."""
    kept = frequent.counts.values
    places = pc.fill_null(pc.index_in(values, value_set=kept), -1).to_numpy(zero_copy_only=False)
    there = places >= 0
    firsts, lasts = np.full(len(kept), NEVER), np.full(len(kept), ALWAYS)
    np.minimum.at(firsts, places[there], first[there])
    np.maximum.at(lasts, places[there], last[there])
    return Seen(frequent, firsts, lasts)
