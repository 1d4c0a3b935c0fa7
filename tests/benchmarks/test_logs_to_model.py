from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import yaml

from benchmarks import logs_to_model
from benchmarks.session import Session

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture
def uncompiled(tiny: Session, tmp_path: Path) -> Session:
    """Compilation would take longer than everything else."""
    document = yaml.safe_load(tiny.recipe.read_text(encoding="utf-8"))
    document["training"]["jit_compile"] = False
    (tmp_path / "few.yaml").write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return dataclasses.replace(tiny, recipe=tmp_path / "few.yaml")


def test_both_label_and_encode_the_same(uncompiled: Session, peers: Path) -> None:
    ours, script = logs_to_model.run(uncompiled, peers)
    assert ours.measured.rows == script.measured.rows == 2_000
    assert set(ours.measured.answer["stages"]) == set(logs_to_model.STAGES)
    assert set(script.measured.answer["stages"]) == {"join", "encoding", "training", "evaluation"}
    assert script.measured.median == pytest.approx(sum(script.measured.answer["stages"].values()))
    # `run` has compared labels and tables; here, that there was something to compare.
    assert script.measured.answer["tasks"]["click"]["train"]["positives"] > 50
    assert set(script.measured.answer["tables"]) == {"position", "user_id", "device", "country", "tags"}
    assert 0 < script.measured.answer["auc"]["click"] < 1
    assert "click" in logs_to_model.aucs([ours, script]) and "join" in logs_to_model.parts(script.measured)
