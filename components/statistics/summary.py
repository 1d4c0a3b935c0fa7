"""The summary of one column, from which its statistics are computed. Pure, over Arrow arrays.

`summarise` makes it from an array, `merge` and `merge_all` put several together, `protos.py` draws the conclusions.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx_bsl.arrow import array_util

from components.columnar.cells import Cells, count_cells, merge_cells
from components.columnar.counts import Counts, count_values
from components.features.columns import lengths
from components.statistics.frequencies import Frequencies, frequencies_of, merge_frequencies
from components.statistics.numbers import Numbers, merge_numbers, of_floats, of_wholes
from models.recipe.errors import InputError

INT = statistics_pb2.FeatureNameStatistics.INT
FLOAT = statistics_pb2.FeatureNameStatistics.FLOAT
STRING = statistics_pb2.FeatureNameStatistics.STRING

_MERGE_AT = 2**23


@dataclasses.dataclass(frozen=True, kw_only=True)
class Summary:
    """What is known of a column's rows.

    Attributes:
        type: INT, FLOAT or STRING.
        lengths: counts of the numbers of values, of the rows with at least one. Always exact: more distinct numbers than
            `MOST_CELLS` would need 2^35 values.
        present: rows with at least one value.
        values: values of all rows.
        numbers: of a column of numbers.
        frequencies: of a column of texts, or of ids.
        characters: bytes of all texts, or digits and signs of all ids.
        invalid: texts that are not UTF-8.
    """

    type: int
    lengths: Cells
    present: int
    values: int
    numbers: Numbers | None = None
    frequencies: Frequencies | None = None
    characters: int = 0
    invalid: int = 0

    @property
    def size(self) -> int:
        """Bytes of its tables: what it costs to hold and to merge."""
        tables = [self.lengths] if self.numbers is None else [self.lengths, self.numbers.cells]
        size = sum(table.lows.nbytes + table.counts.nbytes for table in tables)
        if self.frequencies is not None:
            size += self.frequencies.counts.values.nbytes + self.frequencies.counts.counts.nbytes
        return int(size)


def summarise(name: str, column: pa.Array, ids: bool = False) -> Summary:
    """The summary of the rows of a column.

    Args:
        name: for the errors.
        column: a list for each row, of texts, of whole numbers or of float32. Null and an empty list are missing.
        ids: whole numbers are counted, too.

    Raises:
        InputError: the column holds something else.
    """
    if not (pa.types.is_list(column.type) or pa.types.is_large_list(column.type)):
        raise InputError(f"column {name!r}: expected a list for each row, as in tf.Example, found {column.type}.")
    values = column.flatten()
    kind = values.type
    if pa.types.is_integer(kind):
        distinct = count_values(values.cast(pa.int64()))
        found = dataclasses.replace(_presence(INT, column), numbers=of_wholes(distinct))
        if not ids:
            return found
        return dataclasses.replace(found, frequencies=frequencies_of(distinct), characters=_characters(distinct))
    if pa.types.is_float16(kind) or pa.types.is_float32(kind):
        return dataclasses.replace(_presence(FLOAT, column), numbers=of_floats(values.cast(pa.float32())))
    if any(is_(kind) for is_ in _TEXTS):
        texts = values.cast(pa.large_binary())
        return dataclasses.replace(
            _presence(STRING, column),
            frequencies=frequencies_of(count_values(texts)),
            characters=pc.sum(pc.binary_length(texts)).as_py() or 0,
            invalid=array_util.CountInvalidUTF8(texts),
        )
    raise InputError(
        f"column {name!r}: expected lists of texts, whole numbers or float32 numbers, as in tf.Example, found "
        f"{column.type}. Cast the column when the examples are written."
    )


def _presence(type_: int, column: pa.Array) -> Summary:
    """The summary without what is in the values."""
    counts = lengths(column)
    present = counts[counts > 0]
    distinct = count_values(pa.array(present))
    return Summary(
        type=type_,
        lengths=count_cells(distinct.values.to_numpy(zero_copy_only=False).astype(np.float64), distinct.counts),
        present=len(present),
        values=int(present.sum()),
    )


_TEXTS = (
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_null,
)


def merge(name: str, parts: Sequence[Summary]) -> Summary:
    """The summary of all parts' rows together; at least one part.

    Raises:
        InputError: the parts are of different types.
    """
    if len(parts) == 1:
        return parts[0]
    types = sorted({statistics_pb2.FeatureNameStatistics.Type.Name(part.type) for part in parts})
    if len(types) > 1:
        raise InputError(
            f"column {name!r} has type {' in some files and '.join(types)} in others. "
            "Write all files of the examples with the same types."
        )
    numbers = [part.numbers for part in parts if part.numbers is not None]
    frequencies = [part.frequencies for part in parts if part.frequencies is not None]
    return Summary(
        type=parts[0].type,
        lengths=merge_cells([part.lengths for part in parts]),
        present=sum(part.present for part in parts),
        values=sum(part.values for part in parts),
        numbers=merge_numbers(numbers) if numbers else None,
        frequencies=merge_frequencies(frequencies) if frequencies else None,
        characters=sum(part.characters for part in parts),
        invalid=sum(part.invalid for part in parts),
    )


def merge_all(name: str, parts: Iterable[Summary]) -> Summary | None:
    """`merge` of a stream in bounded memory; None of an empty one.

    Parts are gathered until they are as large as what is merged already, and at least 8 MiB: one by one would hash that
    again each time.
    """
    waiting: list[Summary] = []
    for part in parts:
        waiting.append(part)
        if sum(summary.size for summary in waiting[1:]) > max(_MERGE_AT, waiting[0].size):
            waiting = [merge(name, waiting)]
    return merge(name, waiting) if waiting else None


def _characters(ids: Counts) -> int:
    """Digits and signs of all ids."""
    values = ids.values.to_numpy(zero_copy_only=False)
    # The least int64 has no positive counterpart there; as uint64 it has.
    magnitudes = np.where(values < 0, -values, values).astype(np.uint64)
    digits = 1 + np.searchsorted(_POWERS, magnitudes, side="right")
    return int(((digits + (values < 0)) * ids.counts).sum())


_POWERS = np.array([10**power for power in range(1, 20)], np.uint64)
