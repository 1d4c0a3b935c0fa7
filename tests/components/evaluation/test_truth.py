from __future__ import annotations

import polars as pl
import pyarrow as pa
import pytest

from components.evaluation.plan import TruthPlan
from components.evaluation.truth import read_truth
from models.errors import InputError

IDS = pa.chunked_array([pa.array([b"c", b"a"], pa.large_binary()), pa.array([b"b"], pa.large_binary())])
TRUTH = pl.DataFrame({"id": ["a", "b", "c", "d"], "p": [0.1, 0.2, 0.3, 0.4], "m": [1, 2, 3, 4]})


def plan(tmp_path, path="truth/*", **columns):
    return TruthPlan(data=str(tmp_path), path=path, event_id="id", columns=columns or {"click": "p", "value": "m"})


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "truth").mkdir()
    return tmp_path / "truth"


@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl"])
def test_in_the_order_of_the_examples(tmp_path, folder, ending):
    writers = {"parquet": pl.DataFrame.write_parquet, "csv": pl.DataFrame.write_csv, "jsonl": pl.DataFrame.write_ndjson}
    # an event logged twice, over two files
    writers[ending](TRUTH[:3], folder / f"one.{ending}")
    writers[ending](TRUTH[2:], folder / f"two.{ending}")
    found = read_truth(plan(tmp_path), IDS)
    assert found["click"].tolist() == [0.3, 0.1, 0.2]
    assert found["value"].tolist() == [3.0, 1.0, 2.0]


def test_ids_that_are_numbers(tmp_path, folder):
    pl.DataFrame({"id": [1, 2], "p": [0.1, 0.2]}).write_parquet(folder / "truth.parquet")
    ids = pa.chunked_array([pa.array([b"2", b"1", b"2"], pa.large_binary())])
    assert read_truth(plan(tmp_path, click="p"), ids)["click"].tolist() == [0.2, 0.1, 0.2]


def test_examples_without_truth(tmp_path, folder):
    TRUTH.filter(pl.col("id") != "a").write_parquet(folder / "truth.parquet")
    with pytest.raises(
        InputError, match=r"1 of 3 eval examples have no number in column 'p' of truth/\*.*the event 'a'"
    ):
        read_truth(plan(tmp_path), IDS)


def test_a_column_that_is_not_there(tmp_path, folder):
    TRUTH.write_parquet(folder / "truth.parquet")
    with pytest.raises(InputError, match=r"truth.parquet has no column 'pp'; did you mean 'p'"):
        read_truth(plan(tmp_path, click="pp"), IDS)


def test_no_file(tmp_path):
    with pytest.raises(InputError, match=r"evaluation\.truth: no file matches"):
        read_truth(plan(tmp_path), IDS)
