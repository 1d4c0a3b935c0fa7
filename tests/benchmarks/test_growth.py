from __future__ import annotations

import dataclasses

import pytest

from benchmarks import growth
from benchmarks.session import Session

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def test_runs(tiny: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    # The tests of the other benchmarks run the other stages.
    monkeypatch.setattr(growth, "STAGES", {"statistics": growth.STAGES["statistics"]})
    figures = growth.run(dataclasses.replace(tiny, rows=400))
    small, large = figures
    assert (small.measured.rows, large.measured.rows) == (400, 4_000)
    assert large.against is small.measured and large.target.ratio_at_most == 1.2
