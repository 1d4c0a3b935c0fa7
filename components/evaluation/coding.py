"""A column's values as small whole numbers, batch by batch: what stays in memory is the numbers and each value once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.evaluation.slices import Coded


class Coder:
    """Codes the values of `rows` examples, which arrive in batches; a value's code is the place of its first example."""

    def __init__(self, rows: int) -> None:
        self._codes = np.empty(rows, np.int32)
        self._end = 0
        self._values: pa.Array | None = None

    def add(self, batch: pa.Array) -> None:
        """Takes the next examples' values, null where missing."""
        encoded = pc.dictionary_encode(batch)
        if self._values is None:
            self._values = encoded.dictionary
            place = np.arange(len(self._values), dtype=np.int32)
        else:
            known = pc.index_in(encoded.dictionary, value_set=self._values)
            place = pc.fill_null(known, -1).to_numpy(zero_copy_only=False).astype(np.int32)
            new = place < 0
            place[new] = len(self._values) + np.arange(np.count_nonzero(new))
            self._values = pa.concat_arrays([self._values, encoded.dictionary.filter(pa.array(new))])
        # A missing value's code of -1 takes the last place.
        indices = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
        start, self._end = self._end, self._end + len(batch)
        self._codes[start : self._end] = np.append(place, np.int32(-1))[indices]

    def finish(self) -> Coded:
        """The column, of the smallest type that its codes fit in."""
        values = Words(self._values if self._values is not None else pa.array([], pa.int64()))
        return Coded(codes=self._codes.astype(np.min_scalar_type(-max(1, len(values))), copy=False), values=values)


class Words(Sequence[str]):
    """The values in words, each made when it is asked for: a column of users has millions, and few are ever written."""

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
