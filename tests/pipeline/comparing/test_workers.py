"""The processes of a comparison: what they refuse comes back by name, and a finished method has no process."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from pipeline.comparing import workers
from pipeline.comparing.methods import Method
from pipeline.comparing.protocol import Protocol
from pipeline.comparing.selection import Source
from pipeline.comparing.workers import Job, run_jobs

RECIPES = Path(__file__).parents[3] / "recipes"


def job(folder: Path, name: str) -> Job:
    protocol = Protocol(
        source=Source(file=str(RECIPES / "shop.yaml"), overrides=("training.epochs=1",)),
        transformed=str(folder / "Features" / "transformed_examples" / "6"),
        graph=str(folder),
        folder=str(folder),
        trials=0,
        seed=1,
        seeds=(1, 2),
        matched="parameters",
    )
    spec = {"protocol": dataclasses.asdict(protocol), "method": dataclasses.asdict(Method(name, "none"))}
    return Job(name, spec, folder / f"{name}.json")


def test_what_a_process_refuses_comes_back_by_name_and_the_others_go_on(tmp_path: Path) -> None:
    done = job(tmp_path, "ple")
    done.result.write_text("{}")
    failed = run_jobs([done, job(tmp_path, "mmoe")], 2, lambda name, facts: None)
    assert list(failed) == ["mmoe"]
    assert str(tmp_path) in failed["mmoe"] and "Traceback" not in failed["mmoe"], failed
    assert not (tmp_path / "mmoe.json").exists()


def test_a_process_that_dies_leaves_the_end_of_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers.sys, "executable", "/bin/false")
    failed = run_jobs([job(tmp_path, "mmoe")], 1, lambda name, facts: None)
    assert "its process ended with code 1" in failed["mmoe"] and "mmoe.log" in failed["mmoe"]


def test_an_error_of_the_caller_ends_the_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "worker"
    script.write_text('#!/bin/sh\necho \'{"what": "seed 1"}\'\nsleep 600\n')
    script.chmod(0o755)
    monkeypatch.setattr(workers.sys, "executable", str(script))

    def told(name: str, facts: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_jobs([job(tmp_path, "mmoe")], 1, told)


def test_a_protocol_goes_through_json(tmp_path: Path) -> None:
    spec = job(tmp_path, "mmoe").spec["protocol"]
    import json

    assert dataclasses.asdict(Protocol.from_json(json.loads(json.dumps(spec)))) == spec
