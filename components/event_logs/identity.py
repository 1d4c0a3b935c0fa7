"""Hashes that identify events and examples: 64-bit hashes of values, independent of file format and type.

    hash(row) = mix(sum over columns with a value of hash(value, column))
    hash(number, column) = mix(its 64 bits + seed of the column's name): those of the int64 if it is whole, else of the
                           float64, with a second seed
    hash(text, column) = xxh3(text, seed of the column's name), unless the text is a number's

A text is first converted by `values.one_text`. It is a number's if it is that number in plain decimals without a redundant
sign or zero, or the shortest text of the float: "7", "7.0", "-0.25" and "1e-7" are numbers; "07", "+7", "0.250" and "1e3" are
different texts. So the integer 7 of Parquet, the 7.0 and the "7" of JSON and the 7.00 of CSV are one value, and two different
numbers never are. The hash depends only on the row.

Polars computes the xxh3 of the texts, but does not guarantee the same value in another version. Example ids are visible to
users, so a test contains fixed ids and fails with a version that hashes differently.
"""

from __future__ import annotations

import functools
import hashlib

import numpy as np
import polars as pl

from components.event_logs.values import as_text, beginnings, one_text
from models.features.splitmix import mix
from models.features.value_texts import BOOLEANS

_INTEGERS = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32)
_FRACTION = r"^-?(0|[1-9][0-9]*)\.[0-9]*[1-9]$"
# Characters of a decimal with at most 15 digits and a point: float64 distinguishes these.
_EXACT = 16
# The first four bytes of the other spellings of a truth value.
_TRUTHS = np.array([int.from_bytes(text[:4].encode(), "little") for text in BOOLEANS], np.int32)
_AT_ONCE = 1 << 16  # rows: the arrays of one column stay in the processor's cache


def row_hashes(frame: pl.DataFrame) -> pl.Series:
    """UInt64 hash of every row over all its columns, independent of their order, chunking and file format.

    A missing value counts as an absent column, so an absent field of JSON equals a null of Parquet. An empty text and NaN are
    missing values. A Float32 is the number of its shortest text, so 0.1 is one value in all formats. Only numbers that JSON or
    CSV do not write in the shortest way (with an exponent or trailing zeros) may get a different hash than in Parquet.
    """
    hashes = np.zeros(frame.height, np.uint64)
    for start in range(0, frame.height, _AT_ONCE):
        total = hashes[start : start + _AT_ONCE]
        part = frame.slice(start, _AT_ONCE)
        for name, dtype in frame.schema.items():
            total += _hashes(part[name], dtype)
    return pl.Series("row", mix(hashes))


def example_ids(rows: np.ndarray, twins: np.ndarray | None = None, salt: str = "") -> np.ndarray:
    """Non-negative int64 ids from row hashes. `twins` numbers equal rows, `salt` distinguishes file sets."""
    seed = np.uint64(_seed(salt)) if salt else np.uint64(0)
    numbered = rows.astype(np.uint64) ^ seed
    if twins is not None:
        numbered = numbered + mix(twins.astype(np.uint64))
    return (mix(numbered) >> np.uint64(1)).astype(np.int64)


def _hashes(column: pl.Series, dtype: pl.DataType) -> np.ndarray:
    """(rows,) uint64; 0 for a missing value."""
    name = column.name
    if dtype in _INTEGERS:
        hashes = _of_integers(column.cast(pl.Int64).fill_null(0).to_numpy(), name)
        hashes[column.is_null().to_numpy()] = 0
        return hashes
    if dtype == pl.Float64:
        return _of_floats(column.fill_null(np.nan).to_numpy(), name)
    if dtype != pl.String:
        column = column.to_frame().select(as_text(pl.col(name), dtype)).to_series()
    return _of_texts(column.rechunk(), name)


def _of_integers(values: np.ndarray, name: str) -> np.ndarray:
    return mix(values.view(np.uint64) + np.uint64(_seed(name)))


def _of_floats(values: np.ndarray, name: str) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        whole_values = values.astype(np.int64)
    whole = (whole_values == values) & (np.abs(values) < 2.0**63)
    bits = np.where(whole, whole_values, values.view(np.int64)).view(np.uint64)
    hashes = mix(bits + np.where(whole, np.uint64(_seed(name)), np.uint64(_seed(f"{name}\0fraction"))))
    hashes[np.isnan(values)] = 0
    return hashes


def _of_texts(texts: pl.Series, name: str) -> np.ndarray:
    hashes = texts.hash(_seed(name)).to_numpy(writable=True)
    starts = beginnings(texts)
    first = starts[:, 4].copy()
    present = starts[:, :4].view(np.int32)[:, 0] > 0
    if texts.null_count():
        present &= texts.is_not_null().to_numpy()
    hashes[~present] = 0
    truths = np.flatnonzero(present & np.isin(starts[:, 4:8].view(np.int32)[:, 0], _TRUTHS))
    if len(truths):
        hashes[truths] = one_text(texts.gather(truths)).hash(_seed(name)).to_numpy()
    rows = np.flatnonzero(present & ((first - np.uint8(ord("0")) < 10) | (first == ord("-"))))
    if len(rows):
        held, starts = (texts, starts) if len(rows) == len(texts) else (texts.gather(rows), starts[rows])
        is_integer, integers = _integers_in(held, starts)
        hashes[rows[is_integer]] = _of_integers(integers, name)
        if not is_integer.all():
            rows, held = rows[~is_integer], held.filter(pl.Series(~is_integer)) if is_integer.any() else held
            short = one_text(held)
            if short is not held:
                hashes[rows] = _of_texts(short, name)
            else:
                is_float, floats = _floats_in(held)
                hashes[rows[is_float]] = _of_floats(floats, name)
    return hashes


def _integers_in(texts: pl.Series, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(which texts are integers, the integers); all begin with a digit or a minus."""
    numbers = texts.cast(pl.Int64, strict=False)
    length, first, second = starts[:, :4].view(np.int32)[:, 0], starts[:, 4], starts[:, 5]
    needless = (first == ord("0")) & (length > 1) | (first == ord("-")) & (second == ord("0"))
    is_one = numbers.is_not_null().to_numpy() & ~needless
    return is_one, numbers.filter(pl.Series(is_one)).to_numpy()


def _floats_in(texts: pl.Series) -> tuple[np.ndarray, np.ndarray]:
    """(which texts are numbers, the numbers)."""
    numbers = texts.cast(pl.Float64, strict=False)
    is_one = texts.str.contains(_FRACTION) & (texts.str.len_bytes() <= _EXACT)
    rest = ~is_one & numbers.is_not_null()
    if rest.any():
        written = pl.DataFrame({"number": numbers, "text": texts}).filter(rest)
        same = written.select((pl.col("number").cast(pl.String) == pl.col("text")).fill_null(False)).to_series()
        is_one = is_one.scatter(rest.arg_true(), same)
    return is_one.to_numpy(), numbers.filter(is_one).to_numpy()


@functools.cache
def _seed(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")
