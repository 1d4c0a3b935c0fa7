"""Columns as codes, and the examples of each slice. A missing value is a separate slice value."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.features.value_texts import text_of

MISSING = "(missing)"
Indices = NDArray[np.int64]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Coded:
    """A column of n examples: `values[codes[i]]` is example i's value as text; a code of -1 is a missing value."""

    codes: NDArray[np.signedinteger[Any]]
    values: Sequence[str]

    def where(self, value: str | int | float | bool) -> NDArray[np.bool_]:
        """(n,) which examples have the value. Numbers are compared as numbers, so 3 matches "3.0"."""
        wanted = np.array([*(_same(text, value) for text in self.values), value == MISSING])
        # A code of -1 takes the last place.
        return wanted[self.codes]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Slicing:
    """Disjoint slices of n examples: example i is in slice `codes[i]`, or in no slice if that is len(values).

    `values[code]`: the values of a slice as text, one for each column.
    """

    codes: NDArray[np.unsignedinteger[Any]]
    values: tuple[tuple[str, ...], ...]


def _same(text: str, value: str | int | float | bool) -> bool:
    if isinstance(value, bool):
        return text.lower() == str(value).lower()
    if isinstance(value, str):
        return text in (value, text_of(value))
    # exact first: large ids have no exact float; "3" also finds the "3.0" of a column of floats
    return text in (text_of(value), str(np.float32(value)), str(float(value)))


def slices(columns: Sequence[Coded], most: int) -> Slicing:
    """The examples of every combination of the columns' values.

    Args:
        columns: one or several columns; several are crossed.
        most: maximum number of combinations; those with the most examples are kept, ties by value.

    Returns:
        The combinations, by falling number of examples.
    """
    combined, places = _combine(columns)
    counts = np.bincount(combined)
    there = np.flatnonzero(counts)
    if len(there) > most:
        # All that may be among the largest: those as large as the last of them.
        there = there[counts[there] >= np.partition(counts[there], -most)[-most]]
    named = sorted((-int(counts[place]), _values(columns, places(place)), place) for place in there.tolist())[:most]
    codes = np.full(len(counts), len(named), np.min_scalar_type(len(named)))
    codes[[place for _, _, place in named]] = np.arange(len(named))
    return Slicing(codes=codes[combined], values=tuple(values for _, values, _ in named))


def _combine(columns: Sequence[Coded]) -> tuple[NDArray[Any], Callable[[int], list[int]]]:
    """One number per combination of codes, and the function from it to the codes. Missing (-1) is each column's last place."""
    sizes = [len(column.values) + 1 for column in columns]
    total = math.prod(sizes)
    rows = len(columns[0].codes)
    combined: NDArray[Any] = np.zeros(rows, np.int32 if total < 2**31 else np.int64)
    for column, size in zip(columns, sizes, strict=True):
        combined *= size
        combined += column.codes
        combined[column.codes < 0] += size
    present = None
    if total > max(4 * rows, 1 << 20):
        present, combined = np.unique(combined, return_inverse=True)

    def places(place: int) -> list[int]:
        rest = place if present is None else int(present[place])
        found = []
        for size in reversed(sizes):
            rest, code = divmod(rest, size)
            found.append(code if code < size - 1 else -1)
        return found[::-1]

    return combined, places


def _values(columns: Sequence[Coded], codes: Sequence[int]) -> tuple[str, ...]:
    return tuple(MISSING if code < 0 else column.values[code] for code, column in zip(codes, columns, strict=True))


def one_slice(examples: NDArray[np.bool_], values: tuple[str, ...] = ()) -> Slicing:
    """A slicing with one slice, that of some examples."""
    return Slicing(codes=(~examples).view(np.uint8), values=(values,))


def select(
    columns: Mapping[str, Coded], slice_: Mapping[str, str | int | float | bool], rows: int
) -> NDArray[np.bool_]:
    """(rows,) which examples are in a slice. The empty slice contains all examples."""
    found = np.ones(rows, np.bool_)
    for name, value in slice_.items():
        found &= columns[name].where(value)
    return found
