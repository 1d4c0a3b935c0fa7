"""Columns as codes, and the examples of each slice. A missing value is a slice value of its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

MISSING = "(missing)"
Indices = NDArray[np.int64]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Coded:
    """A column of n examples: `values[codes[i]]` is example i's value in words; a code of -1 is a missing value."""

    codes: NDArray[np.int64]
    values: tuple[str, ...]

    def where(self, value: str | int | float | bool) -> NDArray[np.bool_]:
        """(n,) which examples have the value; numbers are compared as numbers, so 3 finds "3.0"."""
        wanted = [code for code, text in enumerate(self.values) if _same(text, value)]
        wanted += [-1] if value == MISSING else []
        return np.isin(self.codes, wanted)


def _same(text: str, value: str | int | float | bool) -> bool:
    if isinstance(value, bool):
        return text.lower() == str(value).lower()
    if isinstance(value, str):
        return text == value
    # exact first: large ids have no exact float; "3" also finds the "3.0" of a column of floats
    return text == str(value) or text in (str(np.float32(value)), str(float(value)))


def slices(columns: Sequence[Coded], most: int) -> list[tuple[tuple[str, ...], Indices]]:
    """The examples of every combination of the columns' values.

    Args:
        columns: one or several columns; several are crossed.
        most: only the combinations with the most examples, so many; of equal ones the first by value.

    Returns:
        (values, indices of the examples in rising order), the largest slice first.
    """
    # One number per combination; missing (-1) takes the last place of its column.
    combined = np.zeros(len(columns[0].codes), np.int64)
    for column in columns:
        size = len(column.values) + 1
        combined = np.unique(combined * size + np.where(column.codes < 0, size - 1, column.codes), return_inverse=True)[
            1
        ]
    if not len(combined):
        return []
    order = np.argsort(combined, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(combined[order]) > 0])
    found = []
    for indices in np.split(order, starts[1:]):
        codes = [int(column.codes[indices[0]]) for column in columns]
        values = tuple(
            MISSING if code < 0 else column.values[code] for code, column in zip(codes, columns, strict=True)
        )
        found.append((values, indices))
    return sorted(found, key=lambda piece: (-len(piece[1]), piece[0]))[:most]


def select(columns: Mapping[str, Coded], slice_: Mapping[str, str | int | float | bool]) -> Indices | None:
    """Indices of the examples in one slice; None, standing for all, of the empty slice."""
    if not slice_:
        return None
    masks = [columns[name].where(value) for name, value in slice_.items()]
    return np.flatnonzero(np.logical_and.reduce(masks))
