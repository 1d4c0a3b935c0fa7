from __future__ import annotations

import pytest

from benchmarks import input_pipeline
from benchmarks.session import Session

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def test_runs(tiny: Session) -> None:
    ours, reading, stock = input_pipeline.run(tiny)
    assert ours.measured.rows == reading.measured.rows > 1_000 == stock.measured.rows
    # A key for each of the 6 features, for whether the number is missing, and for labels and weights.
    assert stock.measured.answer["features"] == 6 + 1 + 2
