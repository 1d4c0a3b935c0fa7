"""Columns of numbers of 4 bytes, stored in the fewest bytes that give every one of them back exactly, side by side in rows.

Ids below 256, labels and weights that are small whole numbers, take one byte of four: three times as many examples fit in
the same memory, and a batch that is gathered from it touches a third of it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

BYTE = np.dtype(np.uint8)
# As many rows are compared side by side: a reduction over few columns is not vectorised.
_ABREAST = 64


class Extent:
    """What the values of an array need, seen batch by batch: for whole numbers their range, for floats if they are 0 to 255."""

    def __init__(self, width: int, dtype: np.dtype[Any]) -> None:
        self._dtype = dtype
        self._lowest, self._highest = np.zeros((2, width), np.int64)
        self._small = np.ones(width, np.bool_)

    def add(self, values: np.ndarray) -> None:
        """Takes the next rows, (row, column) int32 or float32."""
        if not len(values):
            return
        if self._dtype.kind == "i":
            self._lowest = np.minimum(self._lowest, _reduce(np.minimum, values))
            self._highest = np.maximum(self._highest, _reduce(np.maximum, values))
        else:
            # As bits: -0.0 is not 0.0, and NaN is no byte.
            with np.errstate(invalid="ignore"):
                again = values.astype(BYTE).astype(np.float32)
            self._small &= _reduce(np.logical_and, again.view(np.int32) == values.view(np.int32))

    def layout(self, start: int) -> Layout:
        """How an array of such values is stored from byte `start` of a row on."""
        if self._dtype.kind == "f":
            lowest, kinds = 0, [BYTE if small else self._dtype for small in self._small]
        else:
            lowest = int(self._lowest.min(initial=0))
            kinds = [np.min_scalar_type(int(high) - lowest) for high in self._highest]
        return Layout(dtype=self._dtype, width=len(kinds), lowest=lowest, runs=_runs(kinds, start))


def _reduce(function: np.ufunc, values: np.ndarray) -> np.ndarray:
    """(column,) the function over one row or more."""
    width = values.shape[1]
    even = len(values) // _ABREAST * _ABREAST
    if even:
        abreast = function.reduce(values[:even].reshape(-1, _ABREAST * width), axis=0).reshape(_ABREAST, width)
        values = np.concatenate([abreast, values[even:]])
    return function.reduce(values, axis=0)


@dataclasses.dataclass(frozen=True)
class Run:
    """Columns of an array that are stored beside one another as one type: which ones, in which bytes of a row."""

    columns: slice
    bytes: slice
    dtype: np.dtype[Any]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Layout:
    """How an array (row, width) lies in rows of bytes: `lowest` plus what is stored. Where runs overlap, the later one counts."""

    dtype: np.dtype[Any]
    width: int
    lowest: int
    runs: tuple[Run, ...]

    @property
    def size(self) -> int:
        """Bytes of a row."""
        return sum(run.bytes.stop - run.bytes.start for run in self.runs)

    def pack(self, values: np.ndarray, packed: np.ndarray) -> None:
        """Writes (row, width) values into their bytes of `packed`, (row, bytes) uint8."""
        shifted = values - values.dtype.type(self.lowest) if self.lowest else values
        for run in self.runs:
            # A byte of a value that does not fit is written over by the run that is its own.
            with np.errstate(invalid="ignore"):
                packed[:, run.bytes].view(run.dtype)[:] = shifted[:, run.columns].astype(run.dtype)

    def unpack(self, packed: np.ndarray) -> np.ndarray:
        """(row, width) the values of some rows, (row, bytes) uint8."""
        values = np.empty((len(packed), self.width), self.dtype)
        for run in self.runs:
            values[:, run.columns] = packed[:, run.bytes].view(run.dtype)
        if self.lowest:
            values += self.dtype.type(self.lowest)
        return values

    def unpack_column(self, packed: np.ndarray, column: int) -> np.ndarray:
        """(row,) one column."""
        for run in reversed(self.runs):
            if run.columns.start <= column < run.columns.stop:
                stored = packed[:, run.bytes].view(run.dtype)[:, column - run.columns.start]
                values = stored.astype(self.dtype)
                return values + self.dtype.type(self.lowest) if self.lowest else values
        raise IndexError(f"column {column} of {self.width}")


def _runs(kinds: list[np.dtype[Any]], start: int) -> tuple[Run, ...]:
    """Few runs: one of bytes from the first to the last column that is a byte, and over it those of the wider ones.

    To copy a run costs a pass over its rows, and a byte that is not needed next to nothing.
    """
    small = [place for place, kind in enumerate(kinds) if kind == BYTE]
    spans = [(small[0], small[-1] + 1, BYTE)] if small else []
    for place, kind in enumerate(kinds):
        if kind == BYTE:
            continue
        if spans and spans[-1][1] == place and spans[-1][2] == kind:
            spans[-1] = (spans[-1][0], place + 1, kind)
        else:
            spans.append((place, place + 1, kind))
    runs = []
    for first, last, kind in spans:
        end = start + (last - first) * kind.itemsize
        runs.append(Run(slice(first, last), slice(start, end), kind))
        start = end
    return tuple(runs)


@dataclasses.dataclass(frozen=True, eq=False)
class Compact:
    """An array (example, width) that lies in rows of bytes with others. What is read of it is a NumPy array.

    `array[chosen]`, the chosen examples by a slice, a mask or their numbers: (chosen, width). `array[chosen, column]`: of
    one column, (chosen,). `np.asarray(array)`: all of it.
    """

    rows: np.ndarray
    layout: Layout

    @property
    def shape(self) -> tuple[int, int]:
        """(examples, width)."""
        return len(self.rows), self.layout.width

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of what is read."""
        return self.layout.dtype

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, key: Any) -> np.ndarray:
        if isinstance(key, tuple):
            chosen, column = key
            return self.layout.unpack_column(self.rows[chosen], column)
        return self.layout.unpack(self.rows[key])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self.layout.unpack(self.rows).astype(dtype or self.dtype, copy=False)


def layouts(extents: Mapping[str, Extent]) -> tuple[dict[str, Layout], int]:
    """How several arrays lie side by side, and the bytes of a row."""
    found: dict[str, Layout] = {}
    size = 0
    for name, extent in extents.items():
        found[name] = extent.layout(size)
        size += found[name].size
    return found, size
