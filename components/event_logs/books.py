"""The books: what became of every row, as files beside the examples and as a table in the run's log."""

from __future__ import annotations

import datetime
import json
import os
from typing import Any

import polars as pl

from components.event_logs.dead_letters import FOLDER, SCHEMA, write_part
from components.event_logs.plan import EPOCH, EventLogsPlan
from components.event_logs.tally import BOOKS, Tally
from components.event_logs.writing import SPLITS
from components.storage.finding import is_folder
from components.storage.writing import write_text


def books(plan: EventLogsPlan, tally: Tally) -> dict[str, dict[str, int]]:
    """{stream: its book}.

    Raises:
        RuntimeError: a book does not balance, a defect of this stage.
    """
    found = {stream.name: tally.book(stream.name) for stream in plan.streams}
    for name, book in found.items():
        spent = sum(book[entry] for entry in ("used", "duplicate", "orphan", "late", "dead_lettered"))
        if spent != book["read"]:
            raise RuntimeError(f"the book of stream {name!r} does not balance: {book}")
    return found


def summary(plan: EventLogsPlan, tally: Tally, as_of: int | None, split_at: int | None) -> dict[str, Any]:
    """As-of moment, split moment, and the examples, observed and positive ones per split and task."""
    examples = {split: tally.counts["examples", split] for split in SPLITS}
    tasks = {
        task.name: {
            split: {
                "examples": examples[split],
                **{what: tally.counts["task", task.name, split, what] for what in ("observed", "positives")},
            }
            for split in SPLITS
        }
        for task in plan.tasks
    }
    return {"as_of": moment(as_of), "split_at": moment(split_at), "examples": examples, "tasks": tasks}


def moment(micros: int | None) -> str | None:
    """ISO 8601 text of microseconds since 1970 UTC."""
    if micros is None:
        return None
    return (EPOCH + datetime.timedelta(microseconds=micros)).isoformat().replace("+00:00", "Z")


def table(found: dict[str, dict[str, int]]) -> str:
    """The books as lines of text."""
    rows = [("stream", *(entry.replace("_", " ") for entry in BOOKS))]
    rows += [(name, *(f"{book[entry]:,}" for entry in BOOKS)) for name, book in found.items()]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for name, *cells in rows:
        aligned = [cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True)]
        lines.append("  ".join([name.ljust(widths[0]), *aligned]))
    return "\n".join(lines)


def write(folder: str, found: dict[str, dict[str, int]], facts: dict[str, Any]) -> None:
    """Writes books.json and summary.json; without dead letters also an empty file of them, for its columns."""
    letters = os.path.join(folder, FOLDER)
    if not is_folder(letters):
        write_part(pl.DataFrame(schema=SCHEMA), letters, "none")
    for name, content in (("books.json", found), ("summary.json", facts)):
        write_text(os.path.join(folder, name), json.dumps(content, indent=2, ensure_ascii=False))
