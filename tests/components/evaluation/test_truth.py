from __future__ import annotations

import polars as pl
import pyarrow as pa
import pytest

from components.evaluation import truth
from components.evaluation.plan import TruthPlan
from components.evaluation.truth import read_truth
from components.event_logs.fingerprint import fingerprint_files
from models.recipe.errors import InputError

IDS = pa.chunked_array([pa.array([b"c", b"a"], pa.large_binary()), pa.array([b"b"], pa.large_binary())])
TRUTH = pl.DataFrame({"id": ["a", "b", "c", "d"], "p": [0.1, 0.2, 0.3, 0.4], "m": [1, 2, 3, 4]})


def plan(tmp_path, path="truth/*", **columns):
    return TruthPlan(data=str(tmp_path), paths=(path,), event_id="id", columns=columns or {"click": "p", "value": "m"})


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


@pytest.mark.parametrize("most", [1, 2000, 1 << 26])
def test_the_files_that_are_read_at_once_do_not_matter(tmp_path, folder, monkeypatch, most):
    monkeypatch.setattr(truth, "GROUP_BYTES", most)
    events = pl.DataFrame({"id": [f"event {i}" for i in range(400)], "p": [i / 1000 for i in range(400)]})
    for start in range(0, 400, 50):
        events[start : start + 50].write_parquet(folder / f"{start:03}.parquet")
    order = [7, 399, 0, 200, *range(100, 150), 7]
    ids = pa.chunked_array([pa.array([f"event {i}".encode() for i in order], pa.large_binary())])
    assert read_truth(plan(tmp_path, click="p"), ids)["click"].tolist() == [i / 1000 for i in order]


def test_files_are_grouped_up_to_so_many_bytes(tmp_path):
    paths = []
    for name, size in zip("abcde", (3, 4, 3, 11, 1), strict=True):
        paths.append(str(tmp_path / name))
        (tmp_path / name).write_bytes(b"x" * size)
    groups = ["".join(path[-1] for path in group) for group in truth.groups(paths, 10)]
    assert groups == ["abc", "d", "e"]


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


@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl"])
def test_files_that_changed_since_they_were_listed(tmp_path, folder, monkeypatch, ending):
    writers = {"parquet": pl.DataFrame.write_parquet, "csv": pl.DataFrame.write_csv, "jsonl": pl.DataFrame.write_ndjson}
    writers[ending](TRUTH, folder / f"one.{ending}")
    listed = fingerprint_files(str(tmp_path), {"evaluation.truth": "truth/*"})
    assert read_truth(plan(tmp_path), IDS, listed)["click"].tolist() == [0.3, 0.1, 0.2]
    writers[ending](TRUTH.with_columns(p=pl.col("p") / 2), folder / f"one.{ending}")
    with pytest.raises(InputError, match=rf"files changed while .* one\.{ending}|truth/one\.{ending} "):
        read_truth(plan(tmp_path), IDS, listed)
    listed = fingerprint_files(str(tmp_path), {"evaluation.truth": "truth/*"})
    before = truth._table
    monkeypatch.setattr(
        truth, "_table", lambda *all: (writers[ending](TRUTH, folder / f"two.{ending}"), before(*all))[1]
    )
    with pytest.raises(InputError, match=rf"two\.{ending} is new\. This stage kept no output"):
        read_truth(plan(tmp_path), IDS, listed)
