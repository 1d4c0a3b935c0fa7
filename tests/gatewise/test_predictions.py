"""Predictions for data frames, of small models whose answers can be worked out by hand.

The ranker's click is (age or 1) + item / 8 + number of tags, its score twice that.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_ranker import INPUTS, write_ranker
from small_retrieval import write_retrieval

import gatewise
from tests.doubles.run_records import A, record

HOUR = {"hour": {"type": "int", "multivalued": False, "side": "context", "separator": None}}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the ranker's versions, with the retrieval model's beside it."""
    root = tmp_path_factory.mktemp("serving")
    for name in ("shop", "shop_retrieval"):
        (root / name).mkdir()
    inputs = {**INPUTS, **HOUR}
    write_ranker(root / "shop", 3, inputs=inputs, score="click * taste", score_weights={"taste": 2.0})
    items: list[dict[str, Any]] = [{"item": number, "tags": []} for number in (8, 16, 24)]
    write_retrieval(root / "shop_retrieval", 3, items, [[3.0, 0.0], [2.0, 0.0], [1.0, 0.0]], answers=3)
    return root / "shop"


@pytest.fixture
def rows() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "who": ["a", None, "b"],
            "age": [2.0, np.nan, 4.0],
            "item": pd.array([8, None, 16], dtype="Int64"),
            "tags": [["x", "y"], [], None],
            "hour": [0, 0, 1],
            "note": [object(), 1, "text"],
        },
        index=[7, 5, 3],
    )


def test_a_column_for_each_task_and_the_score(model: Path, rows: pd.DataFrame) -> None:
    before = rows.copy()
    made = gatewise.predict(model, rows)
    assert list(made["click"]) == [2 + 1 + 2, 1, 4 + 2 + 1] and list(made["score"]) == [10, 2, 14]
    assert list(made.index) == [7, 5, 3] and made["click"].dtype == np.float32
    assert list(made.columns) == [*rows.columns, "click", "score"]
    pd.testing.assert_frame_equal(rows, before)


def test_a_run_or_a_version_is_a_model_too(model: Path, rows: pd.DataFrame) -> None:
    for one in (gatewise.Run(record(A, serving=str(model / "3"))), str(model / "3")):
        assert list(gatewise.predict(one, rows, prefix="p_")["p_click"]) == [5, 1, 7]


def test_many_rows_and_none(model: Path, rows: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.predicting import predict_table

    monkeypatch.setattr(predict_table, "BATCH", 128)
    many = pd.concat([rows] * 100, ignore_index=True)
    assert list(gatewise.predict(model, many)["click"]) == [5, 1, 7] * 100
    none = gatewise.predict(model, rows.iloc[:0])
    assert len(none) == 0 and list(none.columns)[-2:] == ["click", "score"]


def test_columns_that_count_as_missing(model: Path, rows: pd.DataFrame) -> None:
    less = rows.drop(columns=["age", "tags"])
    assert list(gatewise.predict(model, less, missing=["age", "tags"])["click"]) == [1 + 1, 1, 1 + 2 + 1]
    with pytest.raises(gatewise.InputError, match="the rows have no column of the model's: who, age, item, tags, hour"):
        gatewise.predict(model, rows[["note"]], missing=["who", "age", "item", "tags", "hour"])
    with pytest.raises(gatewise.InputError, match="Lacking: age, tags"):
        gatewise.predict(model, less)
    with pytest.raises(gatewise.InputError, match="missing: the model reads no column 'agee'; did you mean 'age'"):
        gatewise.predict(model, rows, missing=["agee"])
    with pytest.raises(gatewise.InputError, match="the rows have a column 'age'"):
        gatewise.predict(model, rows, missing=["age"])


def test_rows_that_do_not_fit(model: Path, rows: pd.DataFrame) -> None:
    with pytest.raises(
        gatewise.InputError, match="predict: row 3, column 'age': expected a number of 32 bits, received 'x'"
    ):
        gatewise.predict(model, rows.assign(age=["1", None, "x"]))
    with pytest.raises(gatewise.InputError, match="predict, column 'tags': expected values of one type"):
        gatewise.predict(model, rows.assign(tags=[["x"], 1, "y"]))
    with pytest.raises(gatewise.InputError, match="two columns have the name 'age'"):
        gatewise.predict(model, pd.concat([rows, rows[["age"]]], axis=1))
    with pytest.raises(gatewise.InputError, match="a column 'click' already"):
        gatewise.predict(model, rows.assign(click=0))
    with pytest.raises(gatewise.InputError, match="expected a pandas DataFrame, received dict"):
        gatewise.predict(model, {})  # type: ignore[arg-type]
    with pytest.raises(gatewise.InputError, match="expected a ranker, found a retrieval model"):
        gatewise.predict(model.with_name("shop_retrieval"), rows)
    with pytest.raises(gatewise.InputError, match="no exported model here"):
        gatewise.predict(model.parent / "none", rows)


def test_the_best_item_is_first(model: Path) -> None:
    items = pd.DataFrame(
        {"item": [8, 24, 16], "tags": [["x"], [], ["x", "y", "z"]], "title": ["one", "two", "three"]}, index=list("abc")
    )
    made = gatewise.rank(model, {"age": 2, "hour": 1}, items)
    assert list(made.index) == ["c", "b", "a"] and list(made["title"]) == ["three", "two", "one"]
    assert list(made["click"]) == [2 + 2 + 3 + 1, 2 + 3 + 1, 2 + 1 + 1 + 1] and list(made["score"]) == [16, 12, 10]
    assert list(gatewise.rank(model, {}, items[["title"]])["title"]) == ["one", "two", "three"], "nothing is known"
    assert len(gatewise.rank(model, {}, items.iloc[:0])) == 0
    with pytest.raises(gatewise.InputError, match="unknown column 'agee'; did you mean 'age'"):
        gatewise.rank(model, {"agee": 2}, items)
    with pytest.raises(gatewise.InputError, match="a column 'score' already"):
        gatewise.rank(model, {}, items.assign(score=1))


def test_recommendations(model: Path) -> None:
    made = gatewise.recommend(model, {"age": 2}, k=2)
    assert list(made.columns) == ["item", "score", "retrieval_score", "click"]
    assert list(made["item"]) == [24, 16] and list(made["click"]) == [5, 4] and list(made["retrieval_score"]) == [2, 4]
    run = gatewise.Run(record(A, serving=str(model / "3")))
    assert list(gatewise.recommend(run, {"age": 2}, k=1)["item"]) == [24]
    assert gatewise.recommend(model, {"exclude": [8, 16, 24]}).empty
    with pytest.raises(gatewise.InputError, match="k: expected at least 1"):
        gatewise.recommend(model, {}, k=0)
