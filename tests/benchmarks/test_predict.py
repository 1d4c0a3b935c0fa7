from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import predict
from benchmarks.session import Session

SMALL = {"users": 2, "items": 2, "values": 20, "dim": 2, "experts": 2, "units": [4, 3], "tower_units": [2]}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_runs(tmp_path: Path) -> None:
    session = Session(rows=90, peer_rows=90, runs=1, warm_ups=0, work=tmp_path)
    ours, loop = predict.run(session, 32, **SMALL)
    assert ours.measured.rows == loop.measured.rows == 90
    assert loop.against is ours.measured and loop.measured.answer["columns"] == 1 + 4 + 2
    assert ours.measured.answer["columns"] == 1 + 4 + 2 + 1, "and the score"
