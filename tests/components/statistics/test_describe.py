from __future__ import annotations

import os

import pytest
from tensorflow_metadata.proto.v0 import schema_pb2

from components.statistics import describe
from components.statistics.describe import tasks_of
from components.statistics.describing import integer_schema
from models.errors import InputError


def files_of(examples, split):
    folder = os.path.join(examples.uri, f"Split-{split}")
    return [os.path.join(folder, name) for name in os.listdir(folder)]


def test_pieces_are_row_groups_whatever_the_order_of_the_files(make_examples):
    files = files_of(make_examples({"train": 500}), "train")
    [pieces], rows = tasks_of("train", files)
    assert rows == 500
    # 250 rows a file, 120 a row group
    assert [(os.path.basename(path)[:14], group) for path, group in pieces] == [
        (name, group) for name in ("examples-00000", "examples-00001") for group in (0, 1, 2)
    ]
    assert tasks_of("train", files[::-1]) == ([pieces], rows)


@pytest.mark.parametrize(("most", "sizes"), [(1, [1] * 6), (240, [2, 2, 2]), (369, [3, 3]), (370, [4, 2])])
def test_neighbouring_row_groups_make_a_task(make_examples, monkeypatch, most, sizes):
    monkeypatch.setattr(describe, "ROWS_OF_TASK", most)
    tasks, _ = tasks_of("train", files_of(make_examples({"train": 500}), "train"))
    assert [len(task) for task in tasks] == sizes


@pytest.mark.parametrize("files", [[], None])
def test_nothing_to_describe(make_examples, files):
    given = files if files is not None else files_of(make_examples({"eval": 0}), "eval")
    with pytest.raises(InputError, match="The split 'eval' has no examples"):
        tasks_of("eval", given)


def test_integers_as_categories():
    [feature] = integer_schema(["item"]).feature
    assert feature.name == "item" and feature.type == schema_pb2.INT and feature.int_domain.is_categorical
