"""Reads the records of the runs under a root. Imports no TensorFlow and opens no metadata store."""

from __future__ import annotations

import difflib
import fcntl
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from models.recipe.errors import InputError
from pipeline.run_record import FINISHED, FORMAT, RUNNING

KILLED = "killed"
_RECENT = 20
Record = Mapping[str, Any]


def read_records(root: Path) -> list[Record]:
    """The records of `pipeline.run_record` under a root, newest first. A run that was killed has the state "killed".

    Args:
        root: the --root of runs, or ROOT/RECIPE.

    Raises:
        InputError: there is no record, or a file is not one.
    """
    files = sorted(root.glob("logs/*.json")) or sorted(root.glob("*/logs/*.json"))
    if not files:
        raise InputError(
            f"{root}: no record of a run found; expected the --root of `gatewise run`, or a recipe's folder in it. A run writes its "
            "record from its start; runs of versions without records are not listed."
        )
    found = [_read(file) for file in files]
    found.sort(key=lambda record: (record["started"], record["id"]), reverse=True)
    return found


def seconds_of_stages(logs: Path) -> dict[str, float]:
    """{stage: seconds of its newest run that was not cached}, from the records in a folder. A file that is no record is passed over."""
    found: dict[str, float] = {}
    for file in sorted(logs.glob("*.json"), reverse=True)[:_RECENT]:
        try:
            cost = json.loads(file.read_text(encoding="utf-8"))["cost"]["seconds"]
            found = {**{str(stage): float(seconds) for stage, seconds in cost.items()}, **found}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
    return found


def read_record(file: Path) -> Record | None:
    """The record in a file; None if there is none, as of a run of a version without records.

    Raises:
        InputError: the file is not a record.
    """
    return _read(file) if file.is_file() else None


def find(records: Sequence[Record], run: str) -> Record:
    """The record of a run.

    Args:
        records: the records to search.
        run: id of the run, or a beginning that only one id has.

    Raises:
        InputError: no run or several runs have this id.
    """
    ids = [record["id"] for record in records]
    found = [number for number, name in enumerate(ids) if name == run] or [
        number for number, name in enumerate(ids) if name.startswith(run)
    ]
    if len(found) == 1:
        return records[found[0]]
    if found:
        several = ", ".join(ids[number] for number in found[:5])
        raise InputError(
            f"run {run!r}: {len(found)} runs have ids that begin with it ({several}). Write more of the id."
        )
    near = difflib.get_close_matches(run, ids, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise InputError(f"unknown run {run!r}; {hint}The newest is {ids[0]!r}. `gatewise runs` lists all {len(ids)}.")


def outcome(record: Record) -> str:
    """The state in one or two words: a finished run is "pushed", "already pushed", "blessed" (an experiment) or "not blessed"."""
    if record["state"] != FINISHED:
        return str(record["state"])
    if not record["blessed"]:
        return "not blessed"
    if record["pushed"]:
        return "pushed"
    return "already pushed" if record["serving"] else "blessed"


def main_metric(record: Record, task: str) -> str | None:
    """The first metric of a task, which is its main one; None if it was not measured."""
    return next(iter((record.get("metrics") or {}).get(task) or {}), None)


def _read(file: Path) -> Record:
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
        written = record["format"]
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{file}: is not a record of a run. Move it away.") from None
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror}).") from None
    if written > FORMAT:
        raise InputError(f"{file}: a newer gatewise wrote it (format {written}, expected {FORMAT}). Use that version.")
    killed = record["state"] == RUNNING and not _locked(file.with_suffix(".log"))
    return {**record, "home": str(file.parents[1]), **({"state": KILLED} if killed else {})}


def _locked(log: Path) -> bool:
    """Whether the process of a run holds the lock of its log (`pipeline.run_record.recorded`)."""
    try:
        with open(log, encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
