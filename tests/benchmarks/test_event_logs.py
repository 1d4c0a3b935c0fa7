from __future__ import annotations

import pytest

from benchmarks import event_logs
from benchmarks.session import Session

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def test_all_three_joins_credit_the_same(tiny: Session) -> None:
    ours, polars, beam = event_logs.run(tiny)
    assert (ours.measured.rows, polars.measured.rows, beam.measured.rows) == (2_000, 2_000, 1_000)
    assert ours.measured.answer["tasks"] == polars.measured.answer["tasks"]
    assert ours.measured.answer["tasks"]["click"]["train"]["positives"] > 50
    assert event_logs.by_row(tiny, tiny.rows).answer["tasks"] == ours.measured.answer["tasks"]
