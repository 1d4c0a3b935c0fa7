"""Saves variables to a file block by block, so that a large embedding table is not copied in memory."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

BLOCK_BYTES = 64 * 2**20


def write_variables(path: Path, variables: Sequence[keras.Variable]) -> None:
    """Writes variables as an `.npz` file that numpy can read: arr_0, arr_1, ... in order.

    Args:
        path: file to create or overwrite in place. A kill leaves a truncated file, which `check_variables` refuses.
        variables: variables of any numpy type.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for i, variable in enumerate(variables):
            # An entry of its own has a fixed date: the same variables give the same bytes.
            with archive.open(zipfile.ZipInfo(f"arr_{i}.npy"), "w", force_zip64=True) as file:
                header = {"descr": _dtype(variable).str, "fortran_order": False, "shape": _shape(variable)}
                np.lib.format.write_array_header_1_0(file, header)
                for start, stop in _blocks(variable):
                    block = variable.value[start:stop] if _shape(variable) else variable.value
                    file.write(np.ascontiguousarray(tf.convert_to_tensor(block).numpy()).data)


def check_variables(path: Path, variables: Sequence[keras.Variable]) -> None:
    """Reads a file once, block by block, and verifies its checksums.

    Raises:
        ValueError: the file is truncated or damaged, or does not match the number, types and shapes of the variables.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if bad := archive.testzip():
                raise ValueError(f"the checksum of {bad} is wrong")
            found = [_header(archive, f"arr_{i}.npy") for i in range(len(archive.namelist()))]
    except (
        Exception
    ) as error:  # a truncated file fails in many ways: zipfile.BadZipFile, EOFError, KeyError, zlib.error
        raise ValueError(f"{path.name}: {error}") from error
    expected = [(_shape(variable), _dtype(variable)) for variable in variables]
    if found != expected:
        raise ValueError(
            f"{path.name}: expected arrays of shapes {[shape for shape, _ in expected]}, "
            f"found {[shape for shape, _ in found]}."
        )


def read_variables(path: Path, variables: Sequence[keras.Variable]) -> None:
    """Loads a file into the variables. Verify it with `check_variables` first."""
    with zipfile.ZipFile(path) as archive:
        for i, variable in enumerate(variables):
            with archive.open(f"arr_{i}.npy") as file:
                np.lib.format.read_magic(file)
                np.lib.format.read_array_header_1_0(file)
                for start, stop in _blocks(variable):
                    shape = (stop - start, *_shape(variable)[1:]) if _shape(variable) else ()
                    size = math.prod(shape) * _dtype(variable).itemsize
                    block = np.frombuffer(file.read(size), _dtype(variable)).reshape(shape)
                    if shape == _shape(variable):
                        variable.assign(block)
                    else:
                        for value in _everywhere(variable):
                            value[start:stop].assign(block)


def _header(archive: zipfile.ZipFile, name: str) -> tuple[tuple[int, ...], np.dtype]:
    with archive.open(name) as file:
        np.lib.format.read_magic(file)
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
        return shape, dtype


def _everywhere(variable: keras.Variable) -> Sequence[Any]:
    """The variable, or its copies on all devices."""
    value = variable.value
    return value.values if isinstance(value, tf.distribute.DistributedValues) else [value]


def _shape(variable: keras.Variable) -> tuple[int, ...]:
    return tuple(variable.shape)


def _dtype(variable: keras.Variable) -> np.dtype:
    return np.dtype(keras.backend.standardize_dtype(variable.dtype))


def _blocks(variable: keras.Variable) -> Iterator[tuple[int, int]]:
    """Ranges of rows of at most BLOCK_BYTES; a scalar is one row."""
    rows, *row = _shape(variable) or (1,)
    row_bytes = max(math.prod(row) * _dtype(variable).itemsize, 1)
    step = max(BLOCK_BYTES // row_bytes, 1)
    yield from ((start, min(start + step, rows)) for start in range(0, rows, step))
