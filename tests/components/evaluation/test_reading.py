from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.evaluation import reading
from components.evaluation.reading import check_tasks, matrix, packed_batches, read_examples, single, train_means
from models.recipe.errors import InputError


def test_both_sides_in_step(make_split):
    split = make_split(100)
    found = read_examples(split.raw_files, split.transformed_files, ["device", "user"], event_id=True)
    assert found.rows == 100
    np.testing.assert_array_equal(found.labels["click"], split.arrays["labels"][:, 0])
    np.testing.assert_array_equal(found.weights["value"], split.arrays["weights"][:, 1])
    assert found.event_ids.to_pylist() == split.arrays["event_id"]
    for name in ("device", "user"):
        column = found.columns[name]
        read = [None if code < 0 else column.values[code] for code in column.codes]
        given = [value.decode() if isinstance(value, bytes) else value for value in split.arrays[name]]
        assert read == [None if value is None else str(value) for value in given]


def test_in_small_batches_as_in_large(make_split, monkeypatch):
    split = make_split(1000)
    whole = read_examples(split.raw_files, split.transformed_files, ["device", "user"], event_id=True)
    monkeypatch.setattr(reading, "READ_ROWS", 7)
    found = read_examples(split.raw_files, split.transformed_files, ["device", "user"], event_id=True)
    assert found.event_ids.to_pylist() == whole.event_ids.to_pylist()
    for name in ("device", "user"):
        np.testing.assert_array_equal(found.columns[name].codes, whole.columns[name].codes)
        assert list(found.columns[name].values) == list(whole.columns[name].values)
    for task in ("click", "value"):
        np.testing.assert_array_equal(found.labels[task], whole.labels[task])
        np.testing.assert_array_equal(found.weights[task], whole.weights[task])


def test_files_out_of_step(make_split):
    split = make_split(100)
    with pytest.raises(ValueError, match="do not hold the same examples in the same order"):
        read_examples(split.raw_files, split.transformed_files[::-1], [])
    with pytest.raises(ValueError, match="as many raw as transformed files; received 1 and 2"):
        read_examples(split.raw_files[:1], split.transformed_files, [])


def test_truth_needs_event_ids(make_split):
    split = make_split(30)
    for path in split.raw_files:
        pq.write_table(pq.read_table(path).drop_columns(["gatewise/event_id"]), path)
    with pytest.raises(InputError, match="Set `event_id` in the impression stream"):
        read_examples(split.raw_files, split.transformed_files, [], event_id=True)


def test_packed_batches_hold_every_row_once(make_split):
    split = make_split(1000)
    batches = [batch for path in split.transformed_files for batch in packed_batches(path, rows=64)]
    assert max(len(batch["numeric"]) for batch in batches) == 64
    assert set(batches[0]) == {"numeric"}
    read = np.concatenate([batch["numeric"] for batch in batches])
    np.testing.assert_array_equal(read, split.arrays["x"][:, None])


def test_the_group_of_a_loss_is_no_input_of_the_model(make_split):
    split = make_split(10)
    path = split.transformed_files[0]
    with pa.OSFile(str(path)) as file:
        table = pa.ipc.open_file(file).read_all()
    pairs = pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(2 * len(table), np.int32)), 2)
    table = table.append_column("group", pairs)
    with pa.ipc.new_file(str(path), table.schema) as writer:
        writer.write_table(table)
    assert set(next(packed_batches(path))) == {"numeric"}


def test_matrix_of_a_slice():
    column = pa.FixedSizeListArray.from_arrays(pa.array(range(10)), 2)
    np.testing.assert_array_equal(matrix(column.slice(1, 2)), [[2, 3], [4, 5]])
    assert matrix(pa.chunked_array([], pa.list_(pa.float32(), 3))).shape == (0, 3)


def test_single_values():
    assert single(pa.array([[b"a"], None, [], [b"b"]]), "c").to_pylist() == [b"a", None, None, b"b"]
    assert single(pa.array([None, []], pa.list_(pa.int64())), "c").to_pylist() == [None, None]
    with pytest.raises(InputError, match="column 'tags' has up to 3 values in one example"):
        single(pa.array([[1], [1, 2, 3]]), "tags")


def test_tasks_that_the_examples_do_not_have(make_split):
    split = make_split(30)
    found = read_examples(split.raw_files, split.transformed_files, [])
    with pytest.raises(ValueError, match=r"no labels of \['order'\]"):
        check_tasks(found, {"click": None, "order": None})


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
