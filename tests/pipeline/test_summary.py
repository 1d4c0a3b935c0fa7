from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.lineage import Run, Stage
from pipeline.summary import exit_code, summarise


@pytest.fixture
def run(tmp_path: Path) -> Any:
    def make(*, blessed: int = 1, probed: int = 1, pushed: int = 1, cached: bool = False, held: bool = True) -> Run:
        gates = [{"held": held, "message": "click: auc is 0.6, required at least 0.7."}]
        files = {
            "Evaluator.evaluation": {"metrics.json": {"tasks": {"click": {"auc": 0.6}}, "gates": gates}},
            "Probe.infra_blessing": {"probe.json": {"faults": ["it took too long"]}},
            "Trainer.model_run": {"history.json": {"rows": 7}},
        }
        files["EventLogs.examples"] = {"summary.json": {"warnings": ["stream 'click' ends early."]}}
        artifacts = {}
        for output, content in files.items():
            artifacts[output] = tmp_path / output
            artifacts[output].mkdir(exist_ok=True)
            for name, value in content.items():
                (artifacts[output] / name).write_text(json.dumps(value))
        properties = {
            "Evaluator.blessing": {"blessed": blessed},
            "Probe.infra_blessing": {"blessed": probed},
            "Pusher.pushed_model": {"pushed": pushed, "pushed_destination": "serving/shop/1"},
        }
        stages = tuple(Stage(name=name, rows=0, seconds=2.0, cached=cached) for name in ("Trainer", "Pusher"))
        return Run(stages=stages, artifacts=artifacts, properties=properties, eval_reads=3, id="20260101-080000-11")

    return make


def test_pushed(run: Any) -> None:
    summary = summarise(run())
    assert (summary["blessed"], summary["pushed"], exit_code(summary)) == (True, "serving/shop/1", 0)
    assert summary["no_push"] is False and summary["run"] == "20260101-080000-11"
    assert summary["eval_reads"] == 3
    assert summary["warnings"] == ["stream 'click' ends early."]
    assert summary["stages"][0] == {
        "name": "Trainer",
        "rows": 7,
        "seconds": 2.0,
        "rows_per_second": 3.5,
        "cached": False,
    }


def test_an_experiment_is_blessed_without_a_push(run: Any) -> None:
    one = run(pushed=0)
    one.properties["Pusher.pushed_model"]["push_disabled"] = 1
    summary = summarise(one)
    assert (summary["blessed"], summary["no_push"], summary["serving"], exit_code(summary)) == (True, True, None, 0)
    refused = run(blessed=0, held=False, pushed=0)
    refused.properties["Pusher.pushed_model"]["push_disabled"] = 1
    assert exit_code(summarise(refused)) == 2


def test_a_blessed_model_of_an_older_day_is_no_refusal(run: Any) -> None:
    one = run(pushed=0)
    one.properties["Pusher.pushed_model"]["newer_day"] = "version 9 of 2026-01-09 is newer"
    summary = summarise(one)
    assert (summary["blessed"], summary["newer_day"], exit_code(summary)) == (
        True,
        "version 9 of 2026-01-09 is newer",
        0,
    )
    assert summarise(run())["newer_day"] == ""


def test_all_cached_pushes_nothing_and_is_still_blessed(run: Any) -> None:
    summary = summarise(run(cached=True))
    assert summary["all_cached"] and summary["pushed"] is None and summary["serving"] == "serving/shop/1"
    assert exit_code(summary) == 0


@pytest.mark.parametrize("held", [True, False])
def test_a_gate_of_the_retrieval_model_holds_as_well(held: bool, run: Any, tmp_path: Path) -> None:
    one = run(pushed=int(held))
    one.artifacts["RetrievalEvaluator.evaluation"] = tmp_path / "retrieval"
    (tmp_path / "retrieval").mkdir()
    results = {"methods": {}, "gates": [{"held": held, "message": "two_tower: mrr is 0.1, required at least 0.2."}]}
    (tmp_path / "retrieval" / "retrieval.json").write_text(json.dumps(results))
    one.properties["RetrievalEvaluator.blessing"] = {"blessed": int(held)}
    destination = {"pushed": int(held), "pushed_destination": "serving/shop_retrieval/1"}
    one.properties["RetrievalPusher.pushed_model"] = destination
    summary = summarise(one)
    assert summary["retrieval_serving"] == ("serving/shop_retrieval/1" if held else None)
    assert summary["retrieval"] == results and summary["blessed"] is held
    assert summary["failed_gates"] == ([] if held else ["retrieval: two_tower: mrr is 0.1, required at least 0.2."])
    assert exit_code(summary) == (0 if held else 2)


def test_a_gate_that_does_not_hold(run: Any) -> None:
    summary = summarise(run(blessed=0, probed=0, pushed=0, held=False))
    assert summary["failed_gates"] == ["click: auc is 0.6, required at least 0.7."]
    assert (summary["blessed"], summary["pushed"], exit_code(summary)) == (False, None, 2)


def test_a_probe_that_fails_is_a_failed_gate(run: Any) -> None:
    summary = summarise(run(probed=0, pushed=0))
    assert summary["failed_gates"] == ["probe: it took too long"] and exit_code(summary) == 2
