"""Small sizes, and every subject in this process: starting TensorFlow for each would take longer than all the work."""

from __future__ import annotations

import importlib
import json
import resource
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks import measure
from benchmarks.prepare import RECIPE
from benchmarks.session import Session

FEW = ("price", "position", "user_id", "device", "country", "tags")


def here(subject: measure.Subject, out: Path | str) -> tuple[dict[str, Any], int]:
    """As `measure.fresh`, without a process: the question and the answer still go through JSON."""
    question = json.loads(json.dumps({**subject.question, "out": str(out)}))
    answer = importlib.import_module(subject.module).run(question)
    return json.loads(json.dumps(answer)), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest.fixture(scope="session")
def few_features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wide recipe with features of every kind, but few."""
    document = yaml.safe_load(RECIPE.read_text(encoding="utf-8"))
    document["features"] = {name: document["features"][name] for name in FEW}
    path = tmp_path_factory.mktemp("recipe") / "few.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def shared_work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Logs, examples and outputs that one benchmark makes and the next uses again, as in `make bench`."""
    return tmp_path_factory.mktemp("bench")


@pytest.fixture
def tiny(few_features: Path, shared_work: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    """2,000 impressions, a single run each."""
    monkeypatch.setattr(measure, "fresh", here)
    return Session(
        rows=2_000,
        peer_rows=1_000,
        runs=1,
        warm_ups=0,
        seed=3,
        work=shared_work,
        history=shared_work / "history.jsonl",
        recipe=few_features,
        further=False,
    )
