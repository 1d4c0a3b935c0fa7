"""The files of the references: `references.json`, and for each reference `NAME/predictions.parquet`.

A row of the predictions is an eval example, by example id: the id and a 32-bit float for each task.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from components.example_schema import EXAMPLE_ID
from components.storage.finding import joined
from components.storage.reading import open_parquet, read_text
from components.storage.writing import whole_file, write_text

ABOUT, PREDICTIONS = "references.json", "predictions.parquet"


def write_predictions(
    folder: str, name: str, example_ids: NDArray[np.int64], predictions: Mapping[str, NDArray[np.float32]]
) -> None:
    """Writes the predictions of a reference.

    Args:
        folder: folder of the artifact.
        name: name of the reference.
        example_ids: (n,), rising.
        predictions: task -> (n,).
    """
    table = pa.table({EXAMPLE_ID: example_ids, **predictions})
    with whole_file(joined(joined(folder, name), PREDICTIONS)) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def write_about(folder: str, about: Mapping[str, Any]) -> None:
    """Writes `references.json`. It is written last, and names the references."""
    write_text(joined(folder, ABOUT), json.dumps(about, indent=2))


def read_about(folder: str) -> dict[str, Any]:
    """The content of `references.json`."""
    about: dict[str, Any] = json.loads(read_text(joined(folder, ABOUT)))
    return about


def read_predictions(folder: str, name: str, example_ids: NDArray[np.int64]) -> dict[str, NDArray[np.float32]]:
    """The predictions of a reference for the examples, in their order: task -> (n,).

    Raises:
        ValueError: the file does not hold exactly these examples.
    """
    with open_parquet(joined(joined(folder, name), PREDICTIONS)) as parquet:
        table = parquet.read()
    ids = table[EXAMPLE_ID].to_numpy()
    order = np.argsort(example_ids, kind="stable")
    if not np.array_equal(ids, example_ids[order]):
        raise ValueError(f"the predictions of {name} in {folder} are not those of these examples")
    places = np.empty(len(order), np.intp)
    places[order] = np.arange(len(order))
    return {task: table[task].to_numpy()[places] for task in table.column_names if task != EXAMPLE_ID}
