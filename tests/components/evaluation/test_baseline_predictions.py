from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.evaluation.baseline_predictions import NotComparable, predict_raw, shared_columns

INPUTS = {"device": {"type": "bytes"}, "x": {"type": "float"}}
SCHEMA = pa.schema(
    [
        ("device", pa.large_list(pa.large_binary())),
        ("x", pa.large_list(pa.float32())),
        ("label/click", pa.large_list(pa.float32())),
    ]
)


def test_only_what_the_model_reads():
    assert shared_columns(INPUTS, SCHEMA) == ["device", "x"]


def test_column_that_is_gone():
    with pytest.raises(NotComparable, match="no longer have: age, zip"):
        shared_columns({**INPUTS, "zip": {"type": "int"}, "age": {"type": "float"}}, SCHEMA)


def test_column_of_another_type():
    with pytest.raises(NotComparable, match="reads column 'x' as bytes; now it is float"):
        shared_columns({"x": {"type": "bytes"}}, SCHEMA)


def test_all_rows_in_order_and_in_batches(tmp_path):
    files, sizes = [], []
    for index, rows in enumerate((5, 3)):
        values = [[float(10 * index + row)] for row in range(rows)]
        table = pa.table({"device": [[b"a"]] * rows, "x": values, "label/click": values}, schema=SCHEMA)
        files.append(str(tmp_path / f"{index}.parquet"))
        pq.write_table(table, files[-1])

    def encode(batch):
        assert set(batch.schema.names) == {"device", "x"}
        sizes.append(batch.num_rows)
        return [str(value[0]).encode() for value in batch["x"].to_pylist()]

    def serve(examples):
        return {"click": np.array([[float(example)] for example in examples])}

    found = predict_raw(serve, encode, INPUTS, files, batch_rows=2)
    assert found["click"].tolist() == [0, 1, 2, 3, 4, 10, 11, 12]
    assert max(sizes) == 2
