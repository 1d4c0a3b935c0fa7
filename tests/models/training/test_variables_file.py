"""Variables in one file: block by block, bit for bit, and damage is found before anything is changed."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from models.training import variables_file
from models.training.variables_file import check_variables, read_variables, write_variables

VALUES = [
    np.arange(35, dtype=np.float32).reshape(7, 5),
    np.float32(0.1),
    np.array([3, -1], np.int32),
    np.zeros((0, 4), np.float32),
    np.array([1, 2**31], np.uint32),
]


def variables(factor: int) -> list[keras.Variable]:
    return [
        keras.Variable(value * value.dtype.type(factor), dtype=value.dtype.name, trainable=False) for value in VALUES
    ]


@pytest.mark.parametrize("block_bytes", [1, 50, 2**20])
def test_there_and_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block_bytes: int) -> None:
    """Blocks of one row of five numbers, of two, and one for each variable."""
    monkeypatch.setattr(variables_file, "BLOCK_BYTES", block_bytes)
    path, other = tmp_path / "variables.npz", variables(0)
    write_variables(path, variables(1))
    with np.load(path) as file:
        assert all(np.array_equal(file[f"arr_{i}"], value) for i, value in enumerate(VALUES))
        assert [file[f"arr_{i}"].dtype for i in range(len(VALUES))] == [value.dtype for value in VALUES]
    check_variables(path, other)
    read_variables(path, other)
    assert all(np.array_equal(variable.numpy(), value) for variable, value in zip(other, VALUES, strict=True))


def test_other_shapes_types_and_damage_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "variables.npz"
    write_variables(path, variables(1))
    with pytest.raises(
        ValueError, match=r"variables\.npz: expected arrays of shapes \[\(7, 5\)\], found \[\(7, 5\), \(\)"
    ):
        check_variables(path, variables(1)[:1])
    with pytest.raises(ValueError, match="expected arrays of shapes"):
        check_variables(path, [*variables(1)[:-1], keras.Variable(np.zeros(2, np.float32))])
    content = path.read_bytes()
    path.write_bytes(content[:200])
    with pytest.raises(ValueError, match=r"variables\.npz: File is not a zip file"):
        check_variables(path, variables(1))
    path.write_bytes(content.replace(VALUES[0].tobytes(), VALUES[0].tobytes()[::-1]))
    with pytest.raises(ValueError, match=r"the checksum of arr_0\.npy is wrong"):
        check_variables(path, variables(1))
