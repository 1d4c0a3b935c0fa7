from __future__ import annotations

import dataclasses

import pytest

from benchmarks import growth
from benchmarks.session import Session

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def test_runs(tiny: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    # The tests of the other benchmarks run the other stages.
    monkeypatch.setattr(growth, "STAGES", {stage: growth.STAGES[stage] for stage in ("event_logs", "statistics")})
    figures = growth.run(dataclasses.replace(tiny, rows=400))
    assert len(figures) == 4
    small, large = figures[:2]
    assert (small.measured.rows, large.measured.rows) == (400, 4_000)
    assert large.against is small.measured and large.target.ratio_at_most == 1.2
