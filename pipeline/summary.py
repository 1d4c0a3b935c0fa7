"""The summary of a run: row accounting, metrics, blessing and push, for the console, the JSON file and the report."""

from __future__ import annotations

import dataclasses
from typing import Any

from components.push.executor import DISABLED, NEWER_DAY
from pipeline.lineage import Run

PUSHED, NOT_BLESSED = 0, 2
TRAINERS = ("Trainer", "RetrievalTrainer")


def summarise(run: Run) -> dict[str, Any]:
    """The record that `gatewise run --json` writes.

    Returns:
        {"run": id, "stages": [{"name", "rows", "seconds", "rows_per_second", "cached"}], "accounts": {stream: counts},
        "warnings": [warning of EventLogs],
        "metrics": {task: {metric: value}}, "intervals": {task: {metric: {"lower", "upper", "standard_error"} or {"why"}}},
        "constant": {task: {"mean", "metrics", "by": metric, "model": value, "beaten"}},
        "references": {"linear": {task: {metric: value}}, "single_task": ..., "differences": {reference: {task: {"metric", "loss",
        "lower", "upper", "standard_error"}}}, "about": references.json}; {} without references,
        "eval_reads": number of evaluations that read this eval split, or None,
        "ungated": [task with `gates: none`], "truth": {task: ...}, "retrieval": retrieval.json or None,
        "blessed": bool, "failed_gates": [message], "no_push": whether the run was not to push,
        "newer_day": why a blessed model of an older day was not pushed, or "",
        "pushed": folder pushed by this run or None, "serving": folder of this model's version or None,
        "retrieval_serving": folder of the retrieval model's version or None, "all_cached": bool}
    """
    evaluation = run.read_json("Evaluator.evaluation", "metrics.json") or {}
    probe = run.properties.get("Probe.infra_blessing", {})
    failed = [gate["message"] for gate in evaluation.get("gates", []) if not gate["held"]]
    blessed = run.properties.get("Evaluator.blessing", {}).get("blessed") == 1
    if blessed and probe.get("blessed") != 1:
        told = run.read_json("Probe.infra_blessing", "probe.json") or {}
        failed.extend(f"probe: {fault}" for fault in told.get("faults", ["the exported model did not answer"]))
    retrieval = run.read_json("RetrievalEvaluator.evaluation", "retrieval.json")
    if retrieval is not None:
        failed.extend(f"retrieval: {gate['message']}" for gate in retrieval["gates"] if not gate["held"])
        blessed = blessed and run.properties.get("RetrievalEvaluator.blessing", {}).get("blessed") == 1
    serving = _pushed_to(run, "Pusher")
    push_ran = any(stage.name == "Pusher" and not stage.cached for stage in run.stages)
    # The stock Trainer records no row count, so take it from the training history.
    histories = {name: run.read_json(f"{name}.model_run", "history.json") or {} for name in TRAINERS}
    stages = [
        dataclasses.replace(stage, rows=int(histories[stage.name].get("rows", 0))) if stage.name in TRAINERS else stage
        for stage in run.stages
    ]
    return {
        "run": run.id,
        "stages": [
            {
                "name": stage.name,
                "rows": stage.rows,
                "seconds": stage.seconds,
                "rows_per_second": stage.rows_per_second,
                "cached": stage.cached,
            }
            for stage in stages
        ],
        "accounts": run.read_json("EventLogs.examples", "accounts.json") or {},
        "warnings": (run.read_json("EventLogs.examples", "summary.json") or {}).get("warnings", []),
        "metrics": evaluation.get("tasks", {}),
        "intervals": evaluation.get("intervals", {}),
        "constant": evaluation.get("constant", {}),
        "references": evaluation.get("references", {}),
        "eval_reads": run.eval_reads,
        "ungated": evaluation.get("ungated", []),
        "truth": evaluation.get("truth", {}),
        "retrieval": retrieval,
        "blessed": blessed and not failed,
        "failed_gates": failed,
        "no_push": DISABLED in run.properties.get("Pusher.pushed_model", {}),
        "newer_day": run.properties.get("Pusher.pushed_model", {}).get(NEWER_DAY, ""),
        "pushed": serving if push_ran else None,
        "serving": serving,
        "retrieval_serving": _pushed_to(run, "RetrievalPusher"),
        "all_cached": bool(run.stages) and all(stage.cached for stage in run.stages),
    }


def exit_code(summary: dict[str, Any]) -> int:
    """0 if the model is pushed (now or earlier), or was blessed in an experiment or on an older day; 2 if a gate or the probe blocked it."""
    unpushed = summary["no_push"] or summary["newer_day"]
    return PUSHED if summary["blessed"] and (summary["serving"] or unpushed) else NOT_BLESSED


def _pushed_to(run: Run, pusher: str) -> str | None:
    """The folder of the pushed version. If the pusher is cached, an earlier run pushed it."""
    pushed = run.properties.get(f"{pusher}.pushed_model", {})
    return pushed.get("pushed_destination") if pushed.get("pushed") == 1 else None
