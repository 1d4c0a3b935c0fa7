from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks import measure, prepare
from benchmarks.prepare import Inputs


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the subjects that were run; each leaves a file."""
    names: list[str] = []

    def fresh(subject: measure.Subject, out: Path) -> tuple[dict[str, Any], int]:
        names.append("+".join(subject.question.get("stages", [subject.name])))
        for artifact in prepare.ARTIFACTS.get(names[-1], ("logs",)):
            (Path(out) / artifact).mkdir(parents=True)
        return {"rows": 1, "seconds": 1.0}, 1

    monkeypatch.setattr(measure, "fresh", fresh)
    return names


def test_each_thing_is_made_once_and_what_it_needs_before(made: list[str], tmp_path: Path) -> None:
    inputs = Inputs(work=tmp_path, rows=10, seed=1)
    folder = inputs.upto("features")
    assert made == ["wide logs", "event_logs", "features"]
    assert inputs.upto("features") == folder == inputs.upto("event_logs")
    inputs.upto("trainer")
    inputs.labelled(5)
    assert made == ["wide logs", "event_logs", "features", "trainer", "CSV"]


def test_changed_code_makes_the_stage_and_what_follows_again(
    made: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = Inputs(work=tmp_path, rows=10, seed=1)
    inputs.upto("trainer")
    made.clear()
    version = prepare.code_version
    monkeypatch.setattr(prepare, "code_version", lambda name: "new" if "features" in name else version(name))
    inputs.upto("trainer")
    assert made == ["features", "trainer"]


def test_other_inputs_lie_elsewhere(made: list[str], tmp_path: Path) -> None:
    folders = {
        Inputs(work=tmp_path, rows=10, seed=1).upto("event_logs"),
        Inputs(work=tmp_path, rows=10, seed=2).upto("event_logs"),
        Inputs(work=tmp_path, rows=10, seed=1, skew=True).upto("event_logs"),
        Inputs(work=tmp_path, rows=10, seed=1, overrides=("split={eval_fraction: 0.8}",)).upto("event_logs"),
    }
    assert len(folders) == 4
    with pytest.raises(ValueError, match="unknown stage 'feature'"):
        Inputs(work=tmp_path, rows=10, seed=1).upto("feature")
