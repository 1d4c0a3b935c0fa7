"""Predictions in falling order, fast: radix sorts over their bits, sixteen at a time, in as many passes as memory asks for."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluation.slices import Indices

# Rows that are sorted at once: few enough for the processor's cache. A pass's number is a byte, and 0 is no pass.
PASS_ROWS = 1 << 18
MOST_PASSES = 255
# Predictions that are looked at to find where to cut the passes.
SAMPLE = 1 << 16


def falling_keys(predictions: NDArray[Any]) -> NDArray[Any]:
    """Unsigned integers whose rising order is the falling order of the predictions; equal where these are equal.

    Args:
        predictions: (n,) float32 or float64, no NaN.

    Returns:
        (n,) uint32 or uint64: the bits, turned so that a larger number has the smaller key.
    """
    kind = np.dtype(f"u{predictions.dtype.itemsize}")
    # Adding 0 makes 0.0 of -0.0, which is equal to it and has other bits.
    bits = (predictions + predictions.dtype.type(0)).view(kind)
    signs = (bits.view(kind.str.replace("u", "i")) >> (8 * kind.itemsize - 1)).view(kind)
    rising = kind.type(np.iinfo(kind).max >> 1)
    return bits ^ (rising & ~signs)


def radix_argsort(keys: NDArray[Any]) -> Indices:
    """The stable rising order of unsigned integers: NumPy sorts 16 bits by radix, so each digit of 16 bits in turn."""
    if keys.dtype.itemsize <= 2:
        return np.argsort(keys, kind="stable")
    order = np.argsort(keys.astype(np.uint16), kind="stable")
    for shift in range(16, 8 * keys.dtype.itemsize, 16):
        digit = (keys >> keys.dtype.type(shift)).astype(np.uint16)
        if digit.any():
            order = order[np.argsort(digit[order], kind="stable")]
    return order


def pass_rows(rows: int, least: int = PASS_ROWS) -> int:
    """Rows of a pass over so many rows."""
    return max(least, -(-rows // MOST_PASSES))


def falling_passes(
    predictions: NDArray[Any], rows: Indices, least: int = PASS_ROWS
) -> Iterator[tuple[Indices, Indices]]:
    """The rows by falling prediction, in passes: every prediction of a pass is below all of the pass before.

    Equal predictions are in one pass, however many they are; apart from that the passes are about as large as one another:
    the cuts are those of a sample. They change no result, as the passes follow one another in order.

    Args:
        predictions: (n,).
        rows: the rows that are asked for, rising.
        least: rows of a pass, if MOST_PASSES are enough.

    Yields:
        A pass's rows, rising, and their order: what is read of them is read from front to back, and sorted in the cache.
    """
    passes = -(-len(rows) // pass_rows(len(rows), least))
    if passes <= 1:
        yield rows, radix_argsort(falling_keys(predictions[rows]))
        return
    sample = np.sort(falling_keys(predictions[rows[:: max(1, len(rows) // SAMPLE)]]))
    cuts = np.unique(sample[np.linspace(0, len(sample), passes + 1)[1:-1].astype(np.int64)])
    place = np.empty(len(rows), np.uint8)
    for start in range(0, len(rows), PASS_ROWS):
        keys = falling_keys(predictions[rows[start : start + PASS_ROWS]])
        place[start : start + PASS_ROWS] = 1 + np.searchsorted(cuts, keys, side="right")
    for mine in in_passes(rows, place):
        yield mine, radix_argsort(falling_keys(predictions[mine]))


def in_passes(rows: Indices, place: NDArray[np.uint8]) -> Iterator[Indices]:
    """The rows of pass 1, of pass 2 and so on; those of a pass in their order. One sweep finds them all.

    Args:
        rows: (n,) rising.
        place: (n,) the number of each row's pass; 0 for those that are in none.
    """
    chunks = [slice(start, start + PASS_ROWS) for start in range(0, len(rows), PASS_ROWS)]
    sizes = [np.bincount(place[chunk], minlength=MOST_PASSES + 1) for chunk in chunks]
    heads = np.cumsum(np.sum(sizes, axis=0)) if sizes else np.zeros(1, np.int64)
    # Half of what NumPy takes, where that is enough: nothing else here is as long as the rows.
    found = np.empty(heads[-1] - heads[0], np.int32 if heads[-1] == 0 or rows[-1] < 2**31 else np.int64)
    ends = heads - heads[0]
    at = ends[:-1].copy()
    for chunk, size in zip(chunks, sizes, strict=True):
        ordered = rows[chunk][np.argsort(place[chunk], kind="stable")]
        until = np.cumsum(size)
        for number in np.flatnonzero(size[1:]):
            part = ordered[until[number] : until[number + 1]]
            found[at[number] : at[number] + len(part)] = part
            at[number] += len(part)
    for start, end in itertools.pairwise(ends):
        if end > start:
            yield found[start:end].astype(np.int64)
