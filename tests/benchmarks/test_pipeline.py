from __future__ import annotations

import pytest

from benchmarks import pipeline
from benchmarks.session import Session

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def test_runs(tiny: Session) -> None:
    ours, stock = pipeline.run(tiny)
    assert (ours.measured.rows, stock.measured.rows) == (2_000, 1_000)
    stages = ours.measured.answer["stages"]
    assert ours.measured.median == pytest.approx(sum(stages.values()) - stages["trainer"])
    assert stock.measured.median == pytest.approx(sum(stock.measured.answer["stages"].values()))
    assert set(stock.measured.answer["stages"]) == set(pipeline.STOCK)
