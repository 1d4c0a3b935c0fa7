from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks import measure
from benchmarks.measure import Measured, Subject

MODULE = """
import json, os, sys, time
question = json.loads(sys.argv[1])
assert os.listdir(question["out"]) == []
open(os.path.join(question["out"], "file"), "w").close()
held = bytearray(question["mib"] * 2**20)
held[::4096] = b"x" * len(held[::4096])
print("said before")
print(json.dumps({"rows": question["rows"], "seconds": 0.5, "pid": os.getpid(), "flag": os.environ.get("FLAG")}))
"""


@pytest.fixture
def subject(tmp_path: Path) -> Subject:
    (tmp_path / "small_subject.py").write_text(MODULE, encoding="utf-8")
    # No -m of a module outside of the project: Python's own runner of files takes its place.
    (tmp_path / "python").write_text(f'#!/bin/sh\nexec {sys.executable} {tmp_path}/small_subject.py "$3"\n')
    (tmp_path / "python").chmod(0o755)
    question = {"rows": 10, "mib": 1}
    return Subject(
        name="small", module="small_subject", question=question, python=tmp_path / "python", environment={"FLAG": "1"}
    )


def test_each_run_is_a_process_of_its_own_with_an_empty_folder(subject: Subject, tmp_path: Path) -> None:
    heard: list[str] = []
    found = measure.measure(subject, tmp_path / "work", runs=3, warm_ups=1, say=heard.append)
    assert (found.rows, found.seconds, found.median, found.rate) == (10, (0.5, 0.5, 0.5), 0.5, 20.0)
    assert heard[0].startswith("small, warm-up") and heard[3] == "small, run 3 of 3: 10 rows in 0.50 s"
    assert found.answer["flag"] == "1"
    assert list((tmp_path / "work").iterdir()) == [], "the folders of the runs are gone"


def test_the_peak_is_that_of_the_run(subject: Subject, tmp_path: Path) -> None:
    small = measure.fresh(subject, _folder(tmp_path / "a"))[1]
    # A child starts with its parent's peak, and this process may have run TensorFlow before.
    mib = small // 2**20 + 300
    big = Subject(name="big", module=subject.module, question={"rows": 10, "mib": mib}, python=subject.python)
    large = measure.fresh(big, _folder(tmp_path / "b"))[1]
    again = measure.fresh(subject, _folder(tmp_path / "c"))[1]
    assert large > mib * 2**20 > small
    assert again < mib * 2**20, "the larger one before does not count"


def test_a_failure_says_what_the_process_said(subject: Subject, tmp_path: Path) -> None:
    wrong = Subject(name="wrong", module=subject.module, question={"mib": 1}, python=subject.python)
    with pytest.raises(RuntimeError, match=r"small_subject ended with 1:[\s\S]*KeyError: 'rows'"):
        measure.fresh(wrong, _folder(tmp_path / "a"))


def test_no_runs_and_unequal_runs_are_refused(
    subject: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValueError, match="at least 1 run"):
        measure.measure(subject, tmp_path, runs=0)
    rows = iter([10, 11])
    monkeypatch.setattr(measure, "fresh", lambda subject, out: ({"rows": next(rows), "seconds": 1.0}, 1))
    with pytest.raises(RuntimeError, match=r"different numbers of rows: \[10, 11\]"):
        measure.measure(subject, tmp_path, runs=2, warm_ups=0)


def test_the_median_is_no_mean() -> None:
    found = Measured(name="x", rows=6, seconds=(1.0, 9.0, 2.0), peak_bytes=0)
    assert (found.median, found.rate) == (2.0, 3.0)


def _folder(path: Path) -> Path:
    path.mkdir()
    return path
