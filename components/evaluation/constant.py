"""What a model has to beat: the constant that answers with each task's mean label in the train split."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from components.evaluation.reading import matrix
from components.storage.reading import open_file


def train_means(transformed: Sequence[str]) -> dict[str, float]:
    """sum w y / sum w of every task that is observed in the files: of a binary task the share of positives.

    Only labels and weights are read, a few batches at a time.

    Args:
        transformed: the train split's Arrow files, sorted.
    """
    total: NDArray[np.float64] | None = None
    tasks: list[str] = []
    for path in transformed:
        with open_file(path, mapped=True) as file:
            schema = pa.ipc.open_file(file).schema
            tasks = json.loads(schema.metadata[b"tasks"])
            fields = [schema.get_field_index(name) for name in ("labels", "weights")]
            reader = pa.ipc.open_file(file, options=pa.ipc.IpcReadOptions(included_fields=fields))
            for index in range(reader.num_record_batches):
                batch = reader.get_batch(index)
                weights = matrix(batch["weights"]).astype(np.float64)
                # A label that is not observed may be anything.
                labels = np.where(weights > 0, matrix(batch["labels"]), 0.0)
                added = np.stack([(weights * labels).sum(axis=0), weights.sum(axis=0)])
                total = added if total is None else total + added
    if total is None:
        return {}
    return {task: float(y / w) for task, y, w in zip(tasks, *total, strict=True) if w > 0}
