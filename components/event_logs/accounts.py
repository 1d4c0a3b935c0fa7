"""Row accounting: what happened to every row, as files next to the examples and as a table in the run's log."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Sequence
from typing import Any

import polars as pl

from components.event_logs.days import by_day, unit
from components.event_logs.dead_letters import FOLDER, SCHEMA, write_part
from components.event_logs.listed_files import ListedFiles
from components.event_logs.moments import EPOCH
from components.event_logs.plan import EventLogsPlan
from components.event_logs.splits import Starts
from components.event_logs.tally import Tally, losses_in
from components.example_schema import SPLITS
from components.storage.finding import is_folder
from components.storage.writing import write_text

FILES = "files.json"
"""The files of the examples, next to the row accounting. It splits the count `read` by file."""


def accounts(plan: EventLogsPlan, tally: Tally) -> dict[str, dict[str, int]]:
    """{stream: its account}.

    Raises:
        RuntimeError: the counts of a stream do not add up to its rows: a defect of this stage.
    """
    found = {stream.name: tally.account(stream.name) for stream in plan.streams}
    for name, account in found.items():
        spent = sum(account[entry] for entry in ("used", *losses_in([account])))
        if spent != account["read"]:
            raise RuntimeError(f"the counts of stream {name!r} do not add up to the rows read: {account}")
    return found


def summary(
    plan: EventLogsPlan, tally: Tally, as_of: int | None, starts: Starts, warnings: Sequence[str] = ()
) -> dict[str, Any]:
    """`as_of`, each stream's watermark, starts of the splits, examples, observed and positive examples per split and task, warnings.

    With spans, also "cursor", what a model of these examples has learned from.
    If the examples have weights, also the number of examples of weight 0 per split. If a task has weights of its own, also the
    number of its examples with a label and a weight of 0.
    """
    examples = {split: tally.counts["examples", split] for split in SPLITS}
    tasks = {
        task.name: {
            split: {
                "examples": examples[split],
                **{
                    what: tally.counts["task", task.name, split, what]
                    for what in ("observed", "positives", *(("unweighted",) if task.weight else ()))
                },
            }
            for split in SPLITS
        }
        for task in plan.tasks
    }
    return {
        "as_of": moment(as_of),
        "watermarks": {name: moment(at) for name, at in watermarks(tally).items()},
        "validate_from": moment(starts.validate),
        "eval_from": moment(starts.eval),
        **({"cursor": cursor_of(plan, as_of, starts)} if any(stream.spans for stream in plan.streams) else {}),
        "examples": examples,
        **({"zero_weight": {split: tally.counts["zero weight", split] for split in SPLITS}} if plan.weight else {}),
        "tasks": tasks,
        "warnings": list(warnings),
    }


def cursor_of(plan: EventLogsPlan, as_of: int | None, starts: Starts) -> dict[str, int | None]:
    """What a model of these examples has learned from (`models.recipe.night.Cursor`): the impressions before the gap."""
    end = starts.validate if starts.validate is not None else starts.eval
    return {"until": None if end is None else end - plan.split.gap, "as_of": as_of}


def days(plan: EventLogsPlan, tally: Tally) -> dict[str, Any]:
    """{"hours": 24 or 1, "rows": {stream: {day or hour in UTC: well-formed rows until `as_of`}}}, for streams with a time."""
    timelines = {stream.name: tally.timeline(stream.name) for stream in plan.streams if stream.time}
    makers = [timelines[name] for name in timelines if plan.makes_examples(plan.stream(name))]
    hours = unit(makers)
    return {"hours": hours, "rows": by_day(timelines, hours)}


def watermarks(tally: Tally) -> dict[str, int]:
    """{stream: the time of its latest event, microseconds}."""
    found = {name: timeline.watermark for name, timeline in sorted(tally.timelines.items())}
    return {name: at for name, at in found.items() if at is not None}


def moment(micros: int | None) -> str | None:
    """ISO 8601 text of microseconds since 1970 UTC."""
    if micros is None:
        return None
    return (EPOCH + datetime.timedelta(microseconds=micros)).isoformat().replace("+00:00", "Z")


def table(found: dict[str, dict[str, int]]) -> str:
    """The row accounting as lines of text."""
    entries = ("read", "used", *losses_in(found.values()), "other")
    rows = [("stream", *(entry.replace("_", " ") for entry in entries))]
    rows += [(name, *(f"{account.get(entry, 0):,}" for entry in entries)) for name, account in found.items()]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for name, *cells in rows:
        aligned = [cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True)]
        lines.append("  ".join([name.ljust(widths[0]), *aligned]))
    return "\n".join(lines)


def write(folder: str, found: dict[str, dict[str, int]], facts: dict[str, Any], rows: dict[str, Any]) -> None:
    """Writes accounts.json, summary.json and days.json. Without dead letters, also writes an empty file with their columns."""
    letters = os.path.join(folder, FOLDER)
    if not is_folder(letters):
        write_part(pl.DataFrame(schema=SCHEMA), letters, "none")
    for name, content in (("accounts.json", found), ("summary.json", facts), ("days.json", rows)):
        write_text(os.path.join(folder, name), json.dumps(content, indent=2, ensure_ascii=False))


def write_files(folder: str, listed: ListedFiles, plan: EventLogsPlan, tally: Tally) -> None:
    """Writes {path relative to `data`: {"bytes", "fingerprint", "read": {stream: rows}}} of every file.

    The fingerprint is the content's BLAKE2b. For a URL, or if the file was not visible at assembly, it is "@" and the time of
    the last change in nanoseconds since 1970. The `read` of a stream's files add up to the stream's `read`.
    """
    files = {
        name: {
            "bytes": size,
            "fingerprint": content,
            "read": {stream.name: rows for stream in plan.streams if (rows := tally.counts["file", stream.name, name])},
        }
        for name, (size, content) in listed.identities.items()
    }
    write_text(os.path.join(folder, FILES), json.dumps(files, indent=2, ensure_ascii=False))
