"""Predictions of Arrow tables are those of the served signatures, for each kind of feature."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from models.serving.inference import RANK, load_named
from models.serving.inputs import serialize_examples
from models.serving.named_rows import rank_columns
from pipeline.predicting import scorer as module
from pipeline.predicting.model_columns import WrongValueError
from pipeline.predicting.scorer import Scorer

NAN, INF = float("nan"), float("inf")


def rows(count: int) -> list[dict[str, Any]]:
    """Requests with known, unknown and missing values, in lists of 0 to 5 values."""
    random = np.random.default_rng(3)

    def one(*values: Any) -> Any:
        return values[random.integers(len(values))]

    return [
        {
            "device": one("phone", "desktop", "watch", "", None, "7.0", "True"),
            "item": one(7, 8, 9, None),
            "size": one(1.5, 2.0, -0.0, NAN, None),
            "user": one("u1", "u2", "ü", "", None),
            "session": one("s1", "s2", None),
            "tags": one("new", "new|sale", "old||new|new|sale", "", None),
            "recent": one([1], [2, 1, 7], [], None, [7, 7, 7, 1]),
            "age": one(3.0, 20.0, 77.5, NAN, INF, None),
            "price": one(0.5, 4.0, 50.0, None),
            "hour": one(0.0, 6.5, 23.0, None),
            "look": one([0.5, -1.0, 2.0], [1.0, 1.0, 1.0], [], None),
            "position": one(1.0, 9.0, None),
        }
        for _ in range(count)
    ]


def test_every_kind_of_feature_as_served(every_kind: SimpleNamespace) -> None:
    requests = rows(150)
    expected = every_kind.server(serialize_examples(requests, every_kind.inputs))
    scorer = every_kind.scorer
    assert scorer.outputs == ("click", "value", "score") and scorer.ignored == {"position"}
    found = scorer(pa.Table.from_pylist(requests))
    assert found.num_rows == 150 and found.schema.types == [pa.float32()] * 3
    for task in ("click", "value"):
        assert len(set(expected[task].tolist())) > 100
        np.testing.assert_allclose(found[task].to_numpy(), expected[task], rtol=1e-6, atol=1e-6)
    (rank,) = load_named(every_kind.folder, RANK)
    for number in range(5):
        page = {"user": {}, "candidates": [requests[number]]}
        user = {name: page["candidates"][0].pop(name) for name in ("user", "recent", "age")}
        answer = rank(rank_columns({**page, "user": user}, every_kind.inputs))
        np.testing.assert_allclose(found["score"][number].as_py(), answer["score"][0], rtol=1e-6)


def test_predictions_of_a_row_do_not_depend_on_the_batch(every_kind: SimpleNamespace, monkeypatch: Any) -> None:
    table, scorer = pa.Table.from_pylist(rows(150)), every_kind.scorer
    whole = scorer(table)
    parts = [scorer(table.slice(start, 7)) for start in range(0, 150, 7)]
    assert pa.Table.from_batches(parts).combine_chunks().to_batches()[0].equals(whole)
    monkeypatch.setattr(module, "_MOST_VALUES", 100)  # so that the table is scored in parts
    assert scorer(table).equals(whole)


@pytest.mark.parametrize(
    ("column", "values", "same"),
    [
        ("age", pa.array([3, None, 20], pa.int16()), [3.0, None, 20.0]),
        ("age", pa.array(["3", "", " 20.0 "]), [3.0, None, 20.0]),
        ("age", pa.array([3, 4, 20], pa.decimal128(9, 2)), [3.0, 4.0, 20.0]),
        ("age", pa.array([[3.0], [], None], pa.list_(pa.float64())), [3.0, None, None]),
        ("age", pa.array([3.0, INF, -INF], pa.float64()), [3.0, None, None]),
        ("item", pa.array([7.0, NAN, None]), [7, None, None]),
        ("item", pa.array(["7", "8.0", None]), [7, 8, None]),
        ("item", pa.array([True, False, None]), [1, 0, None]),
        ("item", pa.nulls(3), [None, None, None]),
        ("device", pa.array([7, 8, None], pa.int64()), ["7", "8", None]),
        ("device", pa.array([7.0, NAN, 1.5]), ["7", None, "1.5"]),
        ("device", pa.array([True, None, False]), ["true", None, "false"]),
        ("device", pa.array(["phone", None, "watch"]).dictionary_encode(), ["phone", None, "watch"]),
        ("device", pa.array([b"phone", b"", None]), ["phone", "", None]),
        ("device", pa.array([["phone"], [], None]), ["phone", None, None]),
        ("tags", pa.array([["new", None, "sale"], [], ["x"]]), [["new", "sale"], [], ["x"]]),
        ("tags", pa.array(["new|x", None, ""]).dictionary_encode(), [["new", "x"], [], []]),
        ("recent", pa.array([[1, None, 2], None, []], pa.large_list(pa.int32())), [[1, 2], [], []]),
        ("recent", pa.array([[1, 2], [2, 1], None], pa.list_(pa.int64(), 2)), [[1, 2], [2, 1], []]),
        ("recent", pa.array([1, 2, None]), [[1], [2], []]),
        ("look", pa.array([[1, 2, 3], None, []], pa.large_list(pa.int32())), [[1.0, 2.0, 3.0], None, None]),
        ("look", pa.array(["[1, 2, 3.5]", None, "[]"]), [[1.0, 2.0, 3.5], None, None]),
        ("look", pa.array([[1.0, 2.0, 3.0]] * 3, pa.list_(pa.float64(), 3)), [[1.0, 2.0, 3.0]] * 3),
    ],
)
def test_types_of_a_column(column: str, values: pa.Array, same: list[Any], every_kind: SimpleNamespace) -> None:
    """Each Arrow type gives the predictions of the request with the same values."""
    requests = [{column: value} for value in same]
    expected = every_kind.server(serialize_examples(requests, every_kind.inputs))
    found = every_kind.scorer(pa.table({column: values}))
    np.testing.assert_allclose(found["value"].to_numpy(), expected["value"], rtol=1e-6)


@pytest.mark.parametrize(
    ("column", "values", "row", "words"),
    [
        ("age", ["3", "x"], 1, "column 'age': expected a number of 32 bits, received 'x'"),
        ("age", [1.0, 1e39], 1, "column 'age': expected a number of 32 bits, received 1e+39"),
        ("item", [7.0, 8.0, 7.5], 2, "column 'item': expected a whole number of 64 bits, received 7.5"),
        (
            "look",
            [[1.0, 2.0, 3.0], None, [1.0, 2.0]],
            2,
            "column 'look': expected a list of 3 finite numbers, received [1.0, 2.0]",
        ),
        (
            "look",
            [[1.0, 2.0, 3.0], [1.0, None, 3.0]],
            1,
            "column 'look': expected a list of 3 finite numbers, received [1.0, None, 3.0]",
        ),
        ("look", ["1,2,3", "1,x,3"], 1, "column 'look': expected a number of 32 bits, received 'x'"),
        ("device", [["a"], ["a", "b"]], 1, "column 'device': expected one value, received ['a', 'b']"),
        (
            "recent",
            [["1", "2"], [], None, ["1", "x"]],
            3,
            "column 'recent': expected a whole number of 64 bits, received 'x'",
        ),
    ],
)
def test_a_wrong_value(column: str, values: list[Any], row: int, words: str, every_kind: SimpleNamespace) -> None:
    with pytest.raises(WrongValueError) as error:
        every_kind.scorer(pa.table({column: values}))
    assert (error.value.row, error.value.what) == (row, words)


def test_the_row_of_a_wrong_value_in_a_table_that_is_scored_in_parts(
    every_kind: SimpleNamespace, monkeypatch: Any
) -> None:
    monkeypatch.setattr(module, "_MOST_VALUES", 100)
    table = pa.table({"item": ["7"] * 199 + ["x"]})
    with pytest.raises(WrongValueError) as error:
        every_kind.scorer(table)
    assert error.value.row == 199


def test_a_model_without_a_formula_in_its_notes(tmp_path: Path) -> None:
    from small_ranker import write_ranker

    scorer = Scorer(write_ranker(tmp_path, 1))
    assert scorer.outputs == ("click",)
    assert scorer(pa.table({"item": [8, 16]})).to_pydict() == {"click": [2.0, 3.0]}
