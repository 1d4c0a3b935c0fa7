from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.retrieval_evaluation.reading import as_lists, item_rows, read_problem


def read(files, exclude_seen=True):
    paths = (files.eval_queries, files.items, files.train, files.evaluated)
    return read_problem(*paths, item="item", exclude_seen=exclude_seen)


def as_python(row_lists):
    return [one.tolist() for one in (row_lists[index] for index in range(len(row_lists)))]


def test_ids_become_rows(interactions):
    asked = read(interactions).asked
    assert as_python(asked.relevant) == [[2], [1, 4], [3]]
    assert as_python(asked.excluded) == [[0, 1], [0], []]
    assert as_python(asked.history) == [[1, 0], [0], []]
    assert asked.popularity.tolist() == [3, 2, 2, 1, 0, 1]
    # An item without an impression, which only a broken table has, is taken to have one.
    assert asked.exposure.tolist() == [10, 8, 4, 2, 1, 1]
    assert (len(asked), asked.items) == (3, 6)


def test_train_positives_of_items_that_are_gone_count_for_nothing_but_the_time(interactions):
    train = read(interactions).asked.train
    assert train.users.tolist() == [0, 0, 1, 2, 2, 3, 3, 4, 4]
    assert train.items.tolist() == [0, 1, 0, 0, 2, 1, 2, 3, 5]
    assert train.latest == 43 * 3_600_000_000 == train.times[-1]


def test_unanswerable(interactions):
    assert read(interactions).unanswerable == 1 / 5


def test_what_was_seen_may_be_answered(interactions):
    assert as_python(read(interactions, exclude_seen=False).asked.excluded) == [[], [], []]


def test_without_a_history_in_the_recipe_what_was_seen_counts(interactions):
    table = pq.read_table(interactions.eval_queries)
    nothing = pa.array([[], [], []], pa.large_list(pa.large_binary()))
    pq.write_table(table.set_column(2, "history", nothing), interactions.eval_queries)
    assert as_python(read(interactions).asked.history) == [[0, 1], [0], []]


def test_a_question_without_a_relevant_item(interactions):
    table = pq.read_table(interactions.eval_queries)
    gone = pa.array([[b"c"], [b"gone"], [b"d"]], pa.large_list(pa.large_binary()))
    pq.write_table(table.set_column(4, "relevant", gone), interactions.eval_queries)
    with pytest.raises(ValueError, match="query 1 has no relevant item"):
        read(interactions)


def test_as_lists():
    table = pa.table(
        {
            "id": pa.array([7, None], pa.int32()),
            "text": pa.array(["x", "y"]),
            "tags": pa.array([[b"p", b"q"], None], pa.list_(pa.binary())),
            "number": pa.array([[1.5], []], pa.list_(pa.float64())),
            "gatewise/prior": pa.array([0.5, 1.0]),
        }
    )
    found = as_lists(table)
    assert found.schema.types == [
        pa.large_list(pa.int64()),
        pa.large_list(pa.large_binary()),
        pa.large_list(pa.large_binary()),
        pa.large_list(pa.float32()),
        pa.float64(),
    ]
    assert found.to_pylist() == [
        {"id": [7], "text": [b"x"], "tags": [b"p", b"q"], "number": [1.5], "gatewise/prior": 0.5},
        {"id": [], "text": [b"y"], "tags": None, "number": [], "gatewise/prior": 1.0},
    ]


def test_rows_of_ids_that_are_numbers():
    lists = pa.chunked_array(
        [pa.array([[5, 3], None], pa.large_list(pa.int64())), pa.array([[9, 5]], pa.large_list(pa.int64()))]
    )
    found = item_rows(lists, pa.array([3, 5], pa.int64()))
    assert as_python(found) == [[1, 0], [], [1]] and found.rows.dtype == np.int32
