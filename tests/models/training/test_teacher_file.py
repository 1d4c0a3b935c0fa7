"""The file of a blessed model's predictions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.training.teacher_file import read_predictions, write_predictions


def test_by_example_id_whatever_the_order(tmp_path: Path) -> None:
    path = tmp_path / "predictions.parquet"
    write_predictions(
        path, np.array([7, 3, 5]), {"click": np.float32([0.7, 0.3, 0.5]), "example_id": np.float32([7, 3, 5])}
    )
    found = read_predictions(path, np.array([3, 5, 7]))
    assert {task: values.tolist() for task, values in found.items()} == {
        "click": np.float32([0.3, 0.5, 0.7]).tolist(),
        "example_id": [3, 5, 7],
    }


def test_other_examples(tmp_path: Path) -> None:
    path = tmp_path / "predictions.parquet"
    write_predictions(path, np.array([7, 3]), {})
    assert read_predictions(path, np.array([3, 7])) == {}
    for other in ([3, 8], [3, 5, 7]):
        with pytest.raises(ValueError, match=f"expected the predictions of the {len(other)} train examples"):
            read_predictions(path, np.array(other))
