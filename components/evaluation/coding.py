"""Encodes a column's values as small integers, batch by batch. Memory holds only the integers and each value once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.evaluation.slices import Coded

# Values of batches that are brought together at least: the few of a small column wait for the end.
LEAST_VALUES = 1 << 16


class Coder:
    """Encodes the values of `rows` examples in batches. Codes are numbered by a value's first occurrence.

    Each batch is encoded separately. The batches' values are merged once they are as many as the known values, so the cost of a
    batch does not grow with the number of earlier values.
    """

    def __init__(self, rows: int) -> None:
        # Up to `_final` those of `_values`, then places in these and the batches' values one after the other.
        self._codes = np.empty(rows, np.int32)
        self._final = self._end = 0
        self._values: pa.Array | None = None
        self._batches: list[pa.Array] = []
        self._known = self._more = 0

    def add(self, batch: pa.Array) -> None:
        """Adds the values of the next examples; null is missing."""
        encoded = pc.dictionary_encode(batch)
        indices = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
        start, self._end = self._end, self._end + len(batch)
        self._codes[start : self._end] = np.where(indices < 0, -1, indices + (self._known + self._more))
        self._batches.append(encoded.dictionary)
        self._more += len(encoded.dictionary)
        if self._more > max(self._known, LEAST_VALUES):
            self._merge()

    def _merge(self) -> None:
        if not self._batches:
            return
        known = [] if self._values is None else [self._values]
        encoded = pc.dictionary_encode(pa.concat_arrays([*known, *self._batches]))
        # A missing value's code of -1 takes the last place.
        place = np.append(encoded.indices.to_numpy(), np.int32(-1))
        self._codes[self._final : self._end] = place[self._codes[self._final : self._end]]
        self._final, self._values, self._batches = self._end, encoded.dictionary, []
        self._known, self._more = len(encoded.dictionary), 0

    def finish(self) -> Coded:
        """The column, with the smallest integer type for its codes."""
        self._merge()
        values = Words(self._values if self._values is not None else pa.array([], pa.int64()))
        return Coded(codes=self._codes.astype(np.min_scalar_type(-max(1, len(values))), copy=False), values=values)


class Words(Sequence[str]):
    """The values as texts, created on access: a column of users has millions of values, and few are written."""

    def __init__(self, values: pa.Array) -> None:
        self._values = values

    def __len__(self) -> int:
        return len(self._values)

    @overload
    def __getitem__(self, code: int) -> str: ...
    @overload
    def __getitem__(self, code: slice) -> Words: ...
    def __getitem__(self, code: int | slice) -> str | Words:
        return Words(self._values[code]) if isinstance(code, slice) else _word(self._values[code].as_py())

    def __iter__(self) -> Iterator[str]:
        return map(_word, self._values.to_pylist())


def _word(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="backslashreplace")
    return str(np.float32(value)) if isinstance(value, float) else str(value)
