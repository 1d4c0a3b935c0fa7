"""The report of what the last run has written."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline import report_data
from pipeline.lineage import Run
from pipeline.run_paths import run_paths_in


@pytest.mark.parametrize(("evaluated", "blessed"), [({}, None), ({"Evaluator.blessing": {"blessed": 0}}, False)])
def test_a_run_that_ended_before_its_evaluation_is_not_one_that_was_not_blessed(
    evaluated: dict[str, dict[str, int]], blessed: bool | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(stages=(), artifacts=dict.fromkeys(evaluated, tmp_path), properties=evaluated)
    monkeypatch.setattr(report_data, "last_run", lambda where: run)
    (tmp_path / "metadata.sqlite").touch()
    found = report_data.report_data(run_paths_in(tmp_path)).run
    assert found is not None and found["blessed"] is blessed
