"""The report of what the last run has written."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline import report_data
from pipeline.lineage import Run
from pipeline.run_paths import run_paths_in
from tests.doubles.run_records import A, B, record, write


@pytest.mark.parametrize(("evaluated", "blessed"), [({}, None), ({"Evaluator.blessing": {"blessed": 0}}, False)])
def test_a_run_that_ended_before_its_evaluation_is_not_one_that_was_not_blessed(
    evaluated: dict[str, dict[str, int]], blessed: bool | None, tmp_path: Path
) -> None:
    run = Run(stages=(), artifacts=dict.fromkeys(evaluated, tmp_path), properties=evaluated)
    found = report_data.report_data(run_paths_in(tmp_path), run).run
    assert found is not None and found["blessed"] is blessed


def test_each_run_keeps_its_page_and_the_newest_has_a_name_that_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = {name: Run(stages=(), artifacts={}, properties={}, id=name, begun=1767225600.0) for name in (A, B)}
    monkeypatch.setattr(report_data, "read_run", lambda where, name=None: runs[name or B])
    write(tmp_path, record(A, overrides=["training.seed=2"], push=False, data_option="logs"), record(B))
    home = tmp_path / "shop"
    (home / "metadata.sqlite").touch()
    assert report_data.write_reports(tmp_path) == [home / "report.html"]
    newest = (home / "report.html").read_bytes()
    assert f"Run {B}, 2026-01-01 00:00 UTC. The recipe as it is in its file.".encode() in newest
    assert (home / "reports" / f"{B}.html").read_bytes() == newest

    assert report_data.write_reports(tmp_path, run=A[:8]) == [home / "reports" / f"{A}.html"]
    older = (home / "reports" / f"{A}.html").read_text()
    assert f"Run {A}" in older and "Options: --set training.seed=2 --data logs --no-push" in older
    assert (home / "report.html").read_bytes() == newest, "another run's page"
    assert report_data.write_reports(tmp_path, run=B) == [home / "report.html"]
    assert report_data.write_reports(tmp_path, tmp_path / "mine.html", A) == [tmp_path / "mine.html"]
