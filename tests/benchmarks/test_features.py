from __future__ import annotations

import pytest

from benchmarks import features
from benchmarks.session import Session

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.mark.usefixtures("stock_stands_in")
def test_runs(tiny: Session) -> None:
    ours, stock = features.run(tiny)
    assert (ours.measured.rows, stock.measured.rows) == (2_000, 1_000)
    assert set(stock.measured.answer["stages"]) == set(features.STAGES)
    assert stock.measured.median == stock.measured.answer["stages"]["transform"]
