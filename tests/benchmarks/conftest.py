"""Small sizes, and every subject of the project's own environment in this process: starting TensorFlow for each would take
longer than all the work."""

from __future__ import annotations

import importlib
import json
import resource
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks import measure
from benchmarks.peers.environment import JAX, PEERS, NoEnvironment, python_of
from benchmarks.pipeline import STOCK
from benchmarks.prepare import RECIPE
from benchmarks.session import Session
from benchmarks.stock_subject import MODULE

IN_A_PROCESS = measure.fresh
FEW = ("price", "position", "user_id", "device", "country", "tags")


def here(subject: measure.Subject, out: Path | str) -> tuple[dict[str, Any], int]:
    """As `measure.fresh`, without a process: the question and the answer still go through JSON. With one for the peers."""
    if subject.python != sys.executable:
        return IN_A_PROCESS(subject, out)
    question = json.loads(json.dumps({**subject.question, "out": str(out)}))
    answer = importlib.import_module(subject.module).run(question)
    return json.loads(json.dumps(answer)), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest.fixture
def stock_stands_in(tiny: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer for the stock components without their minute of work: test_pipeline.py runs each of them."""

    def answered(subject: measure.Subject, out: Path | str) -> tuple[dict[str, Any], int]:
        if subject.module != MODULE:
            return here(subject, out)
        question = subject.question
        assert set(question["timed"]) <= set(question["stages"]) <= set(STOCK)
        with open(next(Path(question["labelled"]).glob("**/*.csv")), encoding="utf-8") as file:
            rows = sum(1 for _ in file) - 1
        stages = {stage: 1.0 + number for number, stage in enumerate(question["stages"])}
        return {"rows": rows, "seconds": sum(stages[stage] for stage in question["timed"]), "stages": stages}, 1

    monkeypatch.setattr(measure, "fresh", answered)


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


@pytest.fixture(scope="session")
def peers() -> Path:
    """The Python of the peers' environment, made if it is not there."""
    return _python_of(PEERS)


@pytest.fixture(scope="session")
def jax_alone() -> Path:
    """The Python of an environment with JAX and without TensorFlow."""
    return _python_of(JAX)


def _python_of(requirements: Path) -> Path:
    try:
        return python_of(requirements)
    except NoEnvironment as error:
        pytest.skip(str(error))


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
