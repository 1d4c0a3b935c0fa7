from __future__ import annotations

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from components.retrieval_evaluation import best_items
from components.retrieval_evaluation.best_items import read_best_items
from components.retrieval_evaluation.plan import BestItemsPlan, best_items_fingerprint
from components.retrieval_evaluation.row_lists import RowLists
from models.recipe.errors import InputError

USERS, ITEMS = pa.array([b"u", b"v", b"w"], pa.large_binary()), pa.array([b"a", b"b", b"c", b"d"], pa.large_binary())
NONE = RowLists.empty(3)
ROWS = pl.DataFrame(
    [
        ("u", "a", 1.0),
        ("u", "b", 3.0),
        ("u", "c", 3.0),
        ("u", "gone", 9.0),
        ("v", "d", -1.0),
        ("v", "a", -2.0),
        ("other", "a", 1.0),
    ],
    schema=["user", "item", "value"],
    orient="row",
)


@pytest.fixture
def plan(tmp_path):
    return BestItemsPlan(data=str(tmp_path), path="best/*", user="user", item="item", value="value")


@pytest.fixture
def write(tmp_path):
    writers = {"parquet": pl.DataFrame.write_parquet, "csv": pl.DataFrame.write_csv, "jsonl": pl.DataFrame.write_ndjson}

    def write(rows, name="one.parquet"):
        (tmp_path / "best").mkdir(exist_ok=True)
        writers[name.rpartition(".")[2]](rows, tmp_path / "best" / name)

    return write


@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl"])
def test_by_hand(plan, write, ending):
    """Of equal values the smaller row first; items that are not known are left out; w is in no file."""
    write(ROWS, f"one.{ending}")
    found = read_best_items(plan, USERS, ITEMS, NONE, 3)
    assert found.tolist() == [[1, 2, 0], [3, 0, -1], [-1, -1, -1]] and found.dtype == np.int32
    assert read_best_items(plan, USERS, ITEMS, NONE, 1).tolist() == [[1], [3], [-1]]


def test_excluded_items_are_replaced_by_the_next(plan, write):
    write(ROWS)
    found = read_best_items(plan, USERS, ITEMS, RowLists.of([[1, 3], [3], []]), 2)
    assert found.tolist() == [[2, 0], [0, -1], [-1, -1]]


@pytest.mark.parametrize("most", [1, 1 << 26])
def test_neither_the_order_nor_the_files_matter(plan, write, monkeypatch, most):
    monkeypatch.setattr(best_items, "GROUP_BYTES", most)
    rng = np.random.default_rng(1)
    pairs = pl.DataFrame({"user": np.repeat(np.arange(40), 30), "item": np.tile(np.arange(30), 40)})
    rows = pairs.with_columns(value=pl.Series(rng.integers(0, 9, 1200)))
    for number, part in enumerate(np.array_split(rng.permutation(1200), 5)):
        # A row that is logged twice counts once.
        write(rows[np.append(part, part[:3])], f"{number}.parquet")
    found = read_best_items(plan, pa.array(range(40)), pa.array(range(30)), RowLists.empty(40), 7)
    expected = np.argsort(-rows["value"].to_numpy().reshape(40, 30), axis=1, kind="stable")[:, :7]
    assert found.tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (ROWS.rename({"value": "vaule"}), "retrieval.truth: .*one.parquet has no column 'value'; did you mean 'vaule'"),
        (ROWS.with_columns(value=None), "7 of 7 rows|5 of 5 rows of best/\\* have no number in column 'value'"),
        (
            ROWS.with_columns(value=float("nan")),
            "have no number in column 'value'. Expected one number per user and item",
        ),
        (
            ROWS.with_columns(user=pl.lit("x")),
            "no row of best/\\* has both a user of the 3 eval queries and one of the 4 items",
        ),
    ],
)
def test_wrong_files(plan, write, rows, words):
    write(rows)
    with pytest.raises(InputError, match=words):
        read_best_items(plan, USERS, ITEMS, NONE, 2)


def test_without_queries_there_is_nothing_to_find(plan, write):
    write(ROWS)
    assert read_best_items(plan, USERS[:0], ITEMS, RowLists.empty(0), 2).shape == (0, 2)


def test_files_that_changed_since_they_were_listed(plan, write):
    from types import SimpleNamespace

    write(ROWS)
    recipe = SimpleNamespace(data=plan.data, retrieval=SimpleNamespace(truth=plan))
    listed = best_items_fingerprint(recipe)
    assert read_best_items(plan, USERS, ITEMS, NONE, 2, listed).tolist()[1] == [3, 0]
    write(ROWS[:3])
    with pytest.raises(InputError, match="changed"):
        read_best_items(plan, USERS, ITEMS, NONE, 2, listed)
