from __future__ import annotations

import pytest

from benchmarks import statistics
from benchmarks.session import Session

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.mark.usefixtures("stock_stands_in")
def test_runs(tiny: Session) -> None:
    ours, stock = statistics.run(tiny)
    assert (ours.measured.rows, stock.measured.rows) == (2_000, 1_000)
    assert ours.measured.median > 0 and stock.ratio is not None
    assert set(stock.measured.answer["stages"]) == {"csv_example_gen", "statistics_gen"}
    assert stock.measured.median == stock.measured.answer["stages"]["statistics_gen"]
