from __future__ import annotations

import threading
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.evaluation.predicting import NotComparable, predict_batches, predict_raw, shared_columns


def test_in_the_order_of_the_batches_whatever_ends_first():
    batches = [np.array([[1.0], [2.0]]), np.array([[3.0]]), np.array([[4.0], [5.0], [6.0]])]

    def predict(batch):
        time.sleep(0.02 / len(batch) if len(batch) > 1 else 0.05)
        return {"click": batch / 8, "order": batch[:, 0]}

    found = predict_batches(predict, batches, 6)
    assert found["click"].tolist() == [0.125, 0.25, 0.375, 0.5, 0.625, 0.75]
    assert found["order"].tolist() == [1, 2, 3, 4, 5, 6]
    assert found["click"].dtype == np.float32


def test_few_batches_are_in_memory():
    alive, most, lock = 0, 0, threading.Lock()

    def batches():
        nonlocal alive, most
        for _ in range(50):
            with lock:
                alive += 1
                most = max(most, alive)
            yield np.zeros(1)

    def predict(batch):
        nonlocal alive
        with lock:
            alive -= 1
        return {"click": batch}

    predict_batches(predict, batches(), 50)
    assert most <= 6


@pytest.mark.parametrize(("rows", "words"), [(3, "expected 3 predictions; received 2"), (1, "expected 1 .* more")])
def test_as_many_as_expected(rows, words):
    with pytest.raises(ValueError, match=words):
        predict_batches(lambda batch: {"click": batch}, [np.zeros(1), np.zeros(1)], rows)


def test_an_error_of_the_model_is_raised():
    def predict(batch):
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        predict_batches(predict, [np.zeros(1)], 1)


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
