from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from components.evaluation.constant import train_means


def write(path, labels, weights, tasks, chunk):
    """A transformed file: several batches, with columns that nobody asks for."""

    def fixed(values):
        return pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), values.shape[1])

    table = pa.table(
        {
            "ids": fixed(np.arange(len(labels) * 3).reshape(-1, 3)),
            "labels": fixed(labels),
            "example_id": pa.array(np.arange(len(labels))),
            "weights": fixed(weights),
        }
    ).replace_schema_metadata({b"tasks": json.dumps(tasks).encode()})
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=chunk)
    return str(path)


@pytest.mark.parametrize("seed", range(4))
def test_against_plain_sums(tmp_path, seed):
    generator = np.random.default_rng(seed)
    paths, y, w = [], [], []
    for file in range(generator.integers(1, 4)):
        rows = int(generator.integers(0, 300))
        labels = generator.normal(size=(rows, 2)).astype(np.float32)
        weights = (generator.random((rows, 2)) < 0.5).astype(np.float32) * generator.integers(1, 3, (rows, 2))
        labels[weights == 0] = np.nan
        paths.append(write(tmp_path / f"{file}.arrow", labels, weights.astype(np.float32), ["a", "b"], chunk=70))
        y.append(labels)
        w.append(weights)
    labels, weights = np.concatenate(y), np.concatenate(w)
    found = train_means(paths)
    for column, task in enumerate(("a", "b")):
        there = weights[:, column] > 0
        if there.any():
            expected = np.average(labels[there, column].astype(np.float64), weights=weights[there, column])
            assert found[task] == pytest.approx(expected, rel=1e-9, abs=1e-12)
        else:
            assert task not in found


def test_by_hand(tmp_path):
    """Weights 2, 1, 0 and labels 1, 0, 1: 2 / 3. The other task is observed nowhere."""
    labels, weights = np.array([[1, 5], [0, 5], [1, 5]], np.float32), np.array([[2, 0], [1, 0], [0, 0]], np.float32)
    assert train_means([write(tmp_path / "x.arrow", labels, weights, ["a", "b"], 2)]) == {"a": pytest.approx(2 / 3)}


def test_no_files():
    assert train_means([]) == {}
