"""Records of runs are read, ordered and found by their ids."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import Any

import pytest

from models.recipe.errors import InputError
from pipeline.run_records import find, outcome, read_records
from tests.doubles.run_records import A, B, C, record, write


def test_the_newest_is_first_whatever_the_recipe(tmp_path: Path) -> None:
    write(tmp_path, record(A), record(C), record(B, recipe="feed"))
    assert [one["id"] for one in read_records(tmp_path)] == [C, B, A]
    assert [one["id"] for one in read_records(tmp_path / "shop")] == [C, A]


def test_only_a_run_that_holds_the_lock_of_its_log_is_running(tmp_path: Path) -> None:
    write(tmp_path, record(A, state="running"), record(B, state="running"))
    assert [one["state"] for one in read_records(tmp_path)] == ["killed", "killed"]
    with open(tmp_path / "shop" / "logs" / f"{A}.log", "w", encoding="utf-8") as log:
        fcntl.flock(log, fcntl.LOCK_EX)
        assert [one["state"] for one in read_records(tmp_path)] == ["killed", "running"]
    assert [one["state"] for one in read_records(tmp_path)] == ["killed", "killed"]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, "pushed"),
        ({"pushed": None}, "already pushed"),
        ({"pushed": None, "serving": None}, "blessed"),
        ({"blessed": False, "pushed": None, "serving": None}, "not blessed"),
        ({"state": "failed"}, "failed"),
    ],
)
def test_outcomes(changed: dict[str, Any], expected: str) -> None:
    assert outcome(record(A, **changed)) == expected


def test_a_beginning_of_an_id_is_enough_if_it_is_unique() -> None:
    records = [record(B), record(A)]
    assert find(records, B)["id"] == B and find(records, "20260101")["id"] == A
    with pytest.raises(InputError, match=r"run '202601': 2 runs have ids that begin with it \(.*\)\. Write more"):
        find(records, "202601")
    with pytest.raises(
        InputError, match=rf"unknown run '20260101-080000-19'; did you mean '{A}'\? The newest is '{B}'"
    ):
        find(records, "20260101-080000-19")


def test_a_root_without_records(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no record of a run found; expected the --root of `gatewise run`"):
        read_records(tmp_path)


@pytest.mark.parametrize(
    ("text", "words"), [("[1]", "is not a record of a run"), ('{"format": 2}', "a newer gatewise wrote it")]
)
def test_a_file_that_is_no_record(text: str, words: str, tmp_path: Path) -> None:
    write(tmp_path, record(A))
    (tmp_path / "shop" / "logs" / "x.json").write_text(text)
    with pytest.raises(InputError, match=words):
        read_records(tmp_path)
