"""Reads the positives of a split, which the stage Interactions writes as a memory-mapped Arrow file."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from models.files.split_files import files_of
from models.recipe.errors import InputError

_BESIDES = ("item", "log_q", "weight")


@dataclasses.dataclass(frozen=True)
class Interactions:
    """Positives in time order.

    Attributes:
        packed: {"categorical", "numeric", "multivalued/<feature>", "history": (positive, width)}.
        item: (positive,) int32: item number.
        log_q: (positive,) float32: ln of the item's share of the train positives.
        weight: (positive,) float32.
    """

    packed: Mapping[str, np.ndarray]
    item: np.ndarray
    log_q: np.ndarray
    weight: np.ndarray

    def __len__(self) -> int:
        return len(self.item)


def read_interactions(pattern: str) -> Interactions:
    """Reads the positives of a split.

    Args:
        pattern: glob of its files.

    Raises:
        InputError: no file matches, a file has another format, or there is no positive.
    """
    paths = files_of(pattern)
    if not paths:
        raise InputError(f"{pattern}: expected the Arrow files of the stage Interactions, no file matches.")
    tables = [_read(path) for path in paths]
    table = pa.concat_tables(tables)
    if not table.num_rows:
        raise InputError(f"{pattern}: there is no positive to learn from. Check `retrieval.positives` and the logs.")
    columns = {name: _array(table.column(name)) for name in table.column_names}
    packed = {name: array for name, array in columns.items() if array.ndim == 2}
    return Interactions(packed, *(columns[name] for name in _BESIDES))


def _read(path: str) -> pa.Table:
    try:
        table = pa.ipc.open_file(pa.memory_map(path)).read_all()
    except pa.ArrowInvalid as error:
        raise InputError(
            f"{path}: expected an Arrow file of the stage Interactions; it can't be read ({error})."
        ) from error
    missing = [name for name in _BESIDES if name not in table.column_names]
    if missing:
        raise InputError(
            f"{path}: expected an Arrow file of the stage Interactions, with the columns {', '.join(_BESIDES)}; found "
            f"{', '.join(table.column_names)}."
        )
    return table


def _array(column: pa.ChunkedArray) -> np.ndarray:
    array = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = array.chunk(0)
    if pa.types.is_fixed_size_list(array.type):
        return array.flatten().to_numpy(zero_copy_only=False).reshape(len(array), array.type.list_size)
    return array.to_numpy(zero_copy_only=False)
