"""Real requests: raw validate examples, looked up by their ids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from components.example_schema import EXAMPLE_ID
from models.recipe.errors import InputError


def read_requests(files: Iterable[Path], example_ids: Sequence[int], columns: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of some examples, in the order of the ids: {column: list of values}.

    Reads the ids of each row group first, and the other columns only if the row group contains one of the examples.

    Args:
        files: Parquet files of a split of the raw examples.
        example_ids: ids of the examples.
        columns: raw columns to read; a file without one of them has no values for it.

    Raises:
        InputError: none of the files contains an example.
    """
    wanted = np.asarray(example_ids, np.int64)
    found: dict[int, dict[str, Any]] = {}
    for path in files:
        with pq.ParquetFile(path) as file:
            present = [column for column in columns if column in file.schema_arrow.names]
            for group in range(file.num_row_groups):
                ids = pc.list_flatten(file.read_row_group(group, columns=[EXAMPLE_ID])[EXAMPLE_ID]).to_numpy()
                rows = np.flatnonzero(np.isin(ids, wanted))
                if len(rows):
                    table = file.read_row_group(group, columns=present).take(rows)
                    found.update(zip(ids[rows].tolist(), table.to_pylist(), strict=True))
    missing = [example_id for example_id in example_ids if example_id not in found]
    if missing:
        raise InputError(
            f"{len(missing)} of {len(example_ids)} examples that the trainer predicted are missing in the raw validate "
            f"examples, such as {missing[0]}: the model was trained on other examples."
        )
    return [found[example_id] for example_id in example_ids]
