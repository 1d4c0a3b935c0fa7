"""Stored in fewer bytes, and read as they were, bit for bit."""

from __future__ import annotations

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis.extra import numpy as hnp

from models.features.byte_packing import Compact, Extent, layouts

LARGEST = 2**31 - 1


def compact(arrays: dict[str, np.ndarray], batch: int = 1000) -> dict[str, Compact]:
    """The arrays in rows that they share, seen and stored a batch at a time."""
    extents = {name: Extent(array.shape[1], array.dtype) for name, array in arrays.items()}
    rows = len(next(iter(arrays.values())))
    slices = [slice(start, start + batch) for start in range(0, rows, batch)]
    for some in slices:
        for name, array in arrays.items():
            extents[name].add(array[some])
    found, size = layouts(extents)
    packed = np.full((rows, size), 77, np.uint8)
    for some in slices:
        for name, layout in found.items():
            layout.pack(arrays[name][some], packed[some])
    return {name: Compact(packed, layout) for name, layout in found.items()}


def bits(array: np.ndarray) -> list[list[int]]:
    return array.view(np.int32).tolist()


def int32(*columns: list[int]) -> np.ndarray:
    return np.array(columns, np.int64).T.astype(np.int32)


@pytest.mark.parametrize(
    ("array", "size"),
    [
        (int32([0, 255], [255, 0]), 2),
        (int32([0, 256]), 2),
        (int32([0, 65_535]), 2),
        (int32([0, 65_536]), 4),
        # The whole array is moved by its lowest number.
        (int32([-1, 254]), 1),
        (int32([-1, 255]), 2),
        (int32([-1, 3], [0, 255]), 3),
        (int32([-LARGEST - 1, LARGEST]), 4),
        # A wide column between narrow ones: one byte of the run that it lies in, and its own.
        (int32([0, 1], [0, 1000], [1, 0]), 3 + 2),
        (int32([0, 1000], [1, 0], [0, 100_000], [0, 100_000]), 1 + 2 + 8),
        (np.array([[0.0, 1.0], [255.0, 2.0]], np.float32), 2),
        (np.array([[0.5], [1.0]], np.float32), 4),
        (np.array([[256.0], [-1.0]], np.float32), 4),
        # Equal to 0, and another number.
        (np.array([[-0.0], [1.0]], np.float32), 4),
        (np.array([[np.nan, 3.0], [np.inf, 4.0]], np.float32), 1 + 4),
    ],
)
def test_the_bytes_of_a_row(array: np.ndarray, size: int) -> None:
    found = compact({"x": array})["x"]
    assert found.rows.shape == (len(array), size)
    assert (found.shape, found.dtype, len(found)) == (array.shape, array.dtype, len(array))
    assert bits(found[:]) == bits(np.asarray(found)) == bits(array)


def test_arrays_beside_one_another() -> None:
    arrays = {
        "ids": int32([3, 1, 2], [70_000, 5, 6], [9, 8, 7]),
        "lists": int32([-1, 4, 300], [2, -1, -1]),
        "numbers": np.array([[0.5, 1.0], [2.5, 0.0], [-0.0, 7.0]], np.float32),
    }
    found = compact(arrays, batch=2)
    assert found["ids"].rows is found["numbers"].rows
    assert found["ids"].rows.shape == (3, (3 + 4) + (1 + 2) + (1 + 4))
    for name, array in arrays.items():
        assert bits(found[name][:]) == bits(array)
        assert bits(found[name][1:]) == bits(array[1:])
        assert bits(found[name][np.array([2, 0, 2])]) == bits(array[[2, 0, 2]])
        mask = np.array([True, False, True])
        for column in range(array.shape[1]):
            assert found[name][mask, column].view(np.int32).tolist() == array[mask, column].view(np.int32).tolist()
    with pytest.raises(IndexError, match="column 3 of 3"):
        found["ids"][:, 3]


def test_no_rows() -> None:
    extent = Extent(2, np.dtype(np.int32))
    extent.add(np.zeros((0, 2), np.int32))
    found, size = layouts({"x": extent})
    assert Compact(np.zeros((0, size), np.uint8), found["x"])[:].shape == (0, 2)


NUMBERS = st.one_of(st.sampled_from([-1, 0, 255, 256, 65_535, 65_536]), st.integers(-LARGEST - 1, LARGEST))


@hypothesis.settings(deadline=None)
@hypothesis.given(st.data())
def test_bit_for_bit(data: st.DataObject) -> None:
    """Of floats too: any bits. Rows enough for the blocks in which the ranges are taken."""
    rows, batch = data.draw(st.sampled_from([1, 5, 63, 64, 200])), data.draw(st.sampled_from([3, 70, 1000]))
    few = {}
    for name, dtype in (("whole", np.int32), ("float", np.float32)):
        width = data.draw(st.integers(1, 6))
        array = data.draw(hnp.arrays(np.int32, (rows, width), elements=st.integers(0, 3), fill=st.just(1)))
        array = array.astype(dtype).view(np.int32)
        for _ in range(data.draw(st.integers(0, 3))):
            place = data.draw(st.integers(0, rows - 1)), data.draw(st.integers(0, width - 1))
            array[place] = data.draw(NUMBERS)
        few[name] = array.view(dtype)
    found = compact(few, batch)
    for name, array in few.items():
        assert bits(found[name][:]) == bits(array)
