"""What the pages of runs, versions and comparisons show, from files under a root. Imports no TensorFlow."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.recipe.errors import InputError
from models.recipe.tasks import COUNTS
from pipeline.report_numbers import count, number
from pipeline.run_list import row as cells_of
from pipeline.run_records import Record, find, main_metric, outcome, read_records
from pipeline.ui.pushed import models_of
from pipeline.version_list import refused, rows, served_models, state

NEWEST = 200
"""Number of runs in the list."""


def records_of(root: Path) -> list[Record]:
    """The records under a root, newest first; [] without runs.

    Raises:
        InputError: a record cannot be read.
    """
    return read_records(root) if any(root.glob("logs/*.json")) or any(root.glob("*/logs/*.json")) else []


def runs_page(root: Path) -> dict[str, Any]:
    """{"tasks", "runs": one dict per run, newest first, "left_out": number of older runs}."""
    records = records_of(root)
    shown = records[:NEWEST]
    tasks = list(dict.fromkeys(task for record in shown for task in record.get("metrics") or {}))
    return {
        "runs": [{**_run(record), "cells": [_main(record, task) for task in tasks]} for record in shown],
        "tasks": tasks,
        "left_out": len(records) - len(shown),
        "source": str(root / "*" / "logs" / "*.json"),
    }


def run_page(root: Path, run: str) -> dict[str, Any]:
    """The contents of a run's page, from its record alone.

    Raises:
        InputError: there is no such run.
    """
    record = find(records_of(root), run) if records_of(root) else None
    if record is None:
        raise InputError(f"{root}: no run {run!r}.")
    cost = record.get("cost") or {}
    return {
        "run": _run(record),
        "metrics": [_task(record, task) for task in record.get("metrics") or {}],
        "failed_gates": record.get("failed_gates") or [],
        "error": record.get("error"),
        "facts": {
            "recipe file": record["file"],
            "seed": record["seed"],
            "data": _data(record),
            "pushed to": record.get("serving"),
            "retrieval model": record.get("retrieval_serving"),
            "evaluations of the eval split": record.get("eval_reads"),
            "parameters": _parameters(cost),
            "record": _file(record),
        },
        "stages": [
            {"name": name, "seconds": number(seconds, 1), "share": seconds / (max(cost["seconds"].values()) or 1)}
            for name, seconds in (cost.get("seconds") or {}).items()
        ],
        "cached": cost.get("cached") or [],
        "source": _file(record),
    }


def versions_page(root: Path) -> list[dict[str, Any]]:
    """{"model", "folder", "versions", "nights", "refused"} of each served model."""
    try:
        found = served_models(root)
    except InputError:
        return []
    records = {record["id"]: record for record in records_of(root)}
    playable = models_of(root)
    listed = []
    for served in found:
        versions = rows(served)
        listed.append(
            {
                "model": served.name,
                "folder": str(served),
                "versions": [
                    {
                        **version,
                        "state": state(version),
                        "created": (version["created"] or "–")[:16].replace("T", " "),
                        "main": _lines(version["metrics"]),
                        "gates": _gates(records.get(version["run"])),
                        "playable": served.name in playable and served.name in version["models"],
                    }
                    for version in versions
                ],
                "nights": any(version["day"] for version in versions),
                "refused": refused(served),
            }
        )
    return listed


def comparisons_page(root: Path) -> list[dict[str, Any]]:
    """{"recipe", "id", "made", "methods", "seeds", "chosen", "why", "page", "source"} of each comparison, newest first."""
    found = []
    for file in sorted(root.glob("*/compare/*/compare.json"), key=lambda file: -file.stat().st_mtime):
        try:
            result = json.loads(file.read_text(encoding="utf-8"))
            found.append(
                {
                    "recipe": file.parents[2].name,
                    "id": file.parent.name,
                    "made": f"{datetime.datetime.fromtimestamp(file.stat().st_mtime, datetime.UTC):%Y-%m-%d %H:%M}",
                    "methods": [method["name"] for method in result["methods"]],
                    "seeds": len(result["seeds"]),
                    "chosen": result["chosen"]["method"],
                    "why": result["chosen"]["why"],
                    "page": file.with_name("compare.html").is_file(),
                    "source": str(file),
                }
            )
        except (ValueError, KeyError, TypeError):
            raise InputError(f"{file}: is not the result of a comparison. Move it away.") from None
    return found


def comparison_file(root: Path, recipe: str, comparison: str) -> Path:
    """The page that `gatewise compare` wrote.

    Raises:
        InputError: there is no such comparison.
    """
    for file in root.glob("*/compare/*/compare.html"):
        if (file.parents[2].name, file.parent.name) == (recipe, comparison):
            return file
    raise InputError(f"{root}: no comparison {comparison!r} of the recipe {recipe!r}.")


def _run(record: Record) -> dict[str, Any]:
    *_, overrides = cells_of(record)
    seconds = record.get("seconds")
    return {
        "id": record["id"],
        "recipe": record["recipe"],
        "started": record["started"][:16].replace("T", " "),
        "outcome": outcome(record),
        "seconds": "–" if seconds is None else number(seconds, 0),
        "overrides": overrides.split("\n") if overrides else [],
        "source": _file(record),
    }


def _main(record: Record, task: str) -> dict[str, str] | None:
    name = main_metric(record, task)
    if name is None or record["metrics"][task][name] is None:
        return None
    return {"metric": name, "value": number(record["metrics"][task][name]), "half": _half(record, task, name)}


def _task(record: Record, task: str) -> dict[str, Any]:
    values = record["metrics"][task]
    return {
        "task": task,
        "counts": ", ".join(
            f"{name.removesuffix('_count')}s: {count(values[name])}" for name in COUNTS if name in values
        ),
        "rows": [
            (name, number(value), _half(record, task, name)) for name, value in values.items() if name not in COUNTS
        ],
    }


def _half(record: Record, task: str, metric: str) -> str:
    """± half of the 95 % interval; "" if it is unknown."""
    interval = ((record.get("intervals") or {}).get(task) or {}).get(metric) or {}
    if not {"lower", "upper"} <= set(interval):
        return ""
    return f"± {number((interval['upper'] - interval['lower']) / 2)}"


def _lines(metrics: Mapping[str, Mapping[str, float]]) -> list[str]:
    return [f"{task} {name} {number(value)}" for task, values in metrics.items() for name, value in values.items()]


def _gates(record: Record | None) -> str:
    if record is None or record.get("blessed") is None:
        return "–"
    failed = record.get("failed_gates") or []
    return "held" if record["blessed"] else f"failed: {' '.join(failed)}"


def _data(record: Record) -> str | None:
    data = record.get("data") or {}
    if data.get("files") is None:
        return None
    return f"{count(data['files'])} files, {count(data.get('bytes'))} bytes, fingerprint {data['fingerprint']}"


def _parameters(cost: Mapping[str, Any]) -> str | None:
    parameters = cost.get("parameters")
    return ", ".join(f"{name} {count(value)}" for name, value in parameters.items()) if parameters else None


def _file(record: Record) -> str:
    return str(Path(record["home"]) / "logs" / f"{record['id']}.json")
