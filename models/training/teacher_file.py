"""The file of a blessed model's predictions for the train split: a row per example, its id and a 32-bit float for each task."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from models.recipe.checks.served_names import OWN

PREDICTIONS = "predictions.parquet"
_ID = f"{OWN}example_id"


def write_predictions(
    path: Path, example_ids: NDArray[np.int64], predictions: Mapping[str, NDArray[np.float32]]
) -> None:
    """Writes the file.

    Args:
        path: path of the file.
        example_ids: (example,) in any order.
        predictions: task -> (example,); {} if there is no model.
    """
    pq.write_table(pa.table({_ID: example_ids, **predictions}), path, compression="zstd")


def read_predictions(path: Path, example_ids: NDArray[np.int64]) -> dict[str, NDArray[np.float32]]:
    """The predictions of the given examples: task -> (example,).

    Args:
        path: path of the file.
        example_ids: (example,), rising.

    Raises:
        ValueError: the file has other examples.
    """
    table = pq.read_table(path)
    ids = table[_ID].to_numpy()
    order = np.argsort(ids, kind="stable")
    if not np.array_equal(ids[order], example_ids):
        raise ValueError(
            f"{path}: expected the predictions of the {len(example_ids)} train examples, found other examples"
        )
    return {task: table[task].to_numpy()[order] for task in table.column_names if task != _ID}
