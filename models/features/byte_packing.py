"""Lossless packing of 4-byte columns into rows of bytes.

Ids below 256, and labels and weights that are small whole numbers, take one byte instead of four. About three times as many
examples fit into memory, and gathering a batch reads a third of the bytes.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Mapping
from typing import Any

import numpy as np

BYTE = np.dtype(np.uint8)
# Number of rows to reduce together, because NumPy does not vectorize a reduction over few columns.
_ABREAST = 64
# Beyond this size, rows are in a mapped temporary file, whose pages the system can reclaim.
MEMORY_BYTES = 2**30


class Extent:
    """Value range of an array, computed batch by batch: the range of integers, or whether floats are integers from 0 to 255."""

    def __init__(self, width: int, dtype: np.dtype[Any]) -> None:
        self._dtype = dtype
        self._lowest, self._highest = np.zeros((2, width), np.int64)
        self._small = np.ones(width, np.bool_)

    def add(self, values: np.ndarray) -> None:
        """Adds rows, (row, column) int32 or float32."""
        if not len(values):
            return
        if self._dtype.kind == "i":
            self._lowest = np.minimum(self._lowest, _reduce(np.minimum, values))
            self._highest = np.maximum(self._highest, _reduce(np.maximum, values))
        else:
            # Compares bits: -0.0 is not 0.0, and NaN is not a byte.
            with np.errstate(invalid="ignore"):
                again = values.astype(BYTE).astype(np.float32)
            self._small &= _reduce(np.logical_and, again.view(np.int32) == values.view(np.int32))

    def layout(self, start: int) -> Layout:
        """Layout of the array from byte `start` of a row."""
        if self._dtype.kind == "f":
            lowest, kinds = 0, [BYTE if small else self._dtype for small in self._small]
        else:
            lowest = int(self._lowest.min(initial=0))
            kinds = [np.min_scalar_type(int(high) - lowest) for high in self._highest]
        return Layout(dtype=self._dtype, width=len(kinds), lowest=lowest, runs=_runs(kinds, start))


def _reduce(function: np.ufunc, values: np.ndarray) -> np.ndarray:
    """Reduces one or more rows: (column,)."""
    width = values.shape[1]
    even = len(values) // _ABREAST * _ABREAST
    if even:
        abreast = function.reduce(values[:even].reshape(-1, _ABREAST * width), axis=0).reshape(_ABREAST, width)
        values = np.concatenate([abreast, values[even:]])
    return function.reduce(values, axis=0)


@dataclasses.dataclass(frozen=True)
class Run:
    """Adjacent columns of an array that are stored as one type: the columns and their bytes in a row."""

    columns: slice
    bytes: slice
    dtype: np.dtype[Any]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Layout:
    """Layout of an array (row, width) in rows of bytes. A value is `lowest` plus the stored number. Later runs overwrite earlier ones."""

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
            # A value that does not fit into a byte is overwritten by its own run.
            with np.errstate(invalid="ignore"):
                packed[:, run.bytes].view(run.dtype)[:] = shifted[:, run.columns].astype(run.dtype)

    def unpack(self, packed: np.ndarray) -> np.ndarray:
        """Reads the values of rows, (row, bytes) uint8 -> (row, width)."""
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
    """Makes few runs: one from the first to the last byte column, then the runs of wider columns within it.

    Each run costs a pass over the rows, but an unused byte costs almost nothing.
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
    """An array (example, width) in packed rows that it shares with other arrays. Reads return NumPy arrays.

    `array[chosen]`: examples selected by a slice, a mask or indices, (chosen, width). `array[chosen, column]`: one column,
    (chosen,). `np.asarray(array)`: the whole array.
    """

    rows: np.ndarray
    layout: Layout

    @property
    def shape(self) -> tuple[int, int]:
        """(examples, width)."""
        return len(self.rows), self.layout.width

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values that are read."""
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
    """Layouts of several arrays in one row, and the bytes of a row."""
    found: dict[str, Layout] = {}
    size = 0
    for name, extent in extents.items():
        found[name] = extent.layout(size)
        size += found[name].size
    return found, size


Array = np.ndarray | Compact


def take(arrays: list[Array], chosen: np.ndarray) -> list[np.ndarray]:
    """Selected rows of every array. Arrays with shared rows need one gather."""
    taken: dict[int, np.ndarray] = {}
    parts = []
    for array in arrays:
        rows = array.rows if isinstance(array, Compact) else array
        if id(rows) not in taken:
            # `take` without index checks is four times as fast as array[chosen].
            taken[id(rows)] = rows.take(chosen, axis=0, mode="clip")
        part = taken[id(rows)]
        parts.append(array.layout.unpack(part) if isinstance(array, Compact) else part)
    return parts


def empty_rows(shape: tuple[int, int]) -> np.ndarray:
    """(row, bytes) uint8 in memory, or beyond `MEMORY_BYTES` in a mapped temporary file."""
    if shape[0] * shape[1] <= MEMORY_BYTES:
        return np.empty(shape, np.uint8)
    # The file is already unlinked and disappears with the mapping.
    with tempfile.TemporaryFile() as file:
        return np.memmap(file, np.uint8, mode="w+", shape=shape)
