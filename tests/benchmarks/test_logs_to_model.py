from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import logs_to_model
from benchmarks.session import Session

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def test_both_label_and_encode_the_same(tiny: Session, peers: Path) -> None:
    ours, script = logs_to_model.run(tiny, peers)
    assert ours.measured.rows == script.measured.rows == 2_000
    assert set(ours.measured.answer["stages"]) == set(logs_to_model.STAGES)
    assert set(script.measured.answer["stages"]) == {"join", "encoding", "training", "evaluation"}
    assert script.measured.median == pytest.approx(sum(script.measured.answer["stages"].values()))
    # `run` has compared labels and tables; here, that there was something to compare.
    assert script.measured.answer["tasks"]["click"]["train"]["positives"] > 50
    assert set(script.measured.answer["tables"]) == {"position", "user_id", "device", "country", "tags"}
    assert 0 < script.measured.answer["auc"]["click"] < 1
    assert "click" in logs_to_model.aucs([ours, script]) and "join" in logs_to_model.parts(script.measured)
