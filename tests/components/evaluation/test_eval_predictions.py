from __future__ import annotations

import os

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest

from components.evaluation.eval_predictions import write_predictions
from components.evaluation.reading import read_examples


@pytest.mark.parametrize("rows", [64, 1 << 19])
def test_one_row_for_each_example(make_split, tmp_path, rows):
    split = make_split()
    examples = read_examples(split.raw_files, split.transformed_files, ["user", "device"])
    predictions = {"click": np.linspace(0, 1, 400, dtype=np.float32), "value": np.arange(400.0)}
    write_predictions(str(tmp_path), split.raw_files, examples, ["click", "value"], predictions, rows)
    files = sorted(os.listdir(tmp_path / "predictions"))
    assert files == ["predictions-00000-of-00002.parquet", "predictions-00001-of-00002.parquet"]
    found = pl.read_parquet(tmp_path / "predictions" / "*.parquet")
    assert found.columns == [
        "gatewise/example_id",
        "user",
        "device",
        *(f"{what}/{task}" for task in ("click", "value") for what in ("label", "weight", "prediction")),
    ]
    assert found["gatewise/example_id"].to_list() == split.arrays["example_id"].tolist()
    assert found["user"].cast(pl.String).to_list() == [
        None if user is None else str(user) for user in split.arrays["user"]
    ]
    assert found["device"].cast(pl.String).to_list() == [
        None if device is None else device.decode() for device in split.arrays["device"]
    ]
    assert found["weight/value"].to_list() == split.arrays["weights"][:, 1].tolist()
    assert found["label/click"].to_list() == split.arrays["labels"][:, 0].tolist()
    assert found["prediction/click"].dtype == pl.Float32
    for task, values in predictions.items():
        assert found[f"prediction/{task}"].to_list() == values.astype(np.float32).tolist()
    about = pq.ParquetFile(tmp_path / "predictions" / files[0]).metadata
    assert about.row_group(0).column(0).compression == "ZSTD"
