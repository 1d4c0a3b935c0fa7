"""The pure functions between the shuffles: a piece to rows by partition, a partition's events to labels.

The columns of an impression that the join needs (key, time, event id, label columns) are partitioned by key, like the outcomes. Its features,
which may be forty columns, are partitioned by the hash of the row. So a user with a twentieth of all events makes only the join
of four columns uneven, not the writing of the examples. The labels then go to the partition of the features.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import polars as pl

from components.event_logs import dead_letters, labelled, shuffle
from components.event_logs.attribution import FOLLOWED, KNOWN, attribute, later_copies, unique_events
from components.event_logs.blocks import Block
from components.event_logs.domains import note_negatives
from components.event_logs.events import (
    KEY,
    NUMBER,
    ROW,
    USER,
    VALUE,
    Prepared,
    Wanted,
    broken_letters,
    event_columns,
    label_column,
    needed_columns,
    prepare,
)
from components.event_logs.identity import row_hashes
from components.event_logs.key_spellings import count_spellings
from components.event_logs.plan import EventLogsPlan, StreamPlan
from components.event_logs.shuffle import Reference, Rows
from components.event_logs.streams import Piece, read, require_columns
from components.event_logs.tally import Tally
from components.example_schema import EVENT_ID, TIME
from models.recipe.checks.served_names import OWN

ROWS_PER_PARTITION = 500_000
BYTES_PER_PARTITION = 192 << 20
MOST = 65_536

HOME, _USER_HOME = f"{OWN}partition", f"{OWN}user_partition"
"""Columns with the partition of an event's key and of its user."""
# The partition of a key or an event id matters only within a run. No output depends on it.
_PARTITION_SEED = 7


def count_of_partitions(plan: EventLogsPlan, found: Iterable[Piece]) -> int:
    """The number of partitions: as few as keep the memory of a partition well below a GiB.

    The plan's number; without one, with R rows and B bytes in the pieces, max(2, R / 500,000, B / 192 MiB) rounded up.

    The bytes are the estimated memory of the columns that the stage reads (`Piece.bytes`). A partition's rows are in mapped
    files; an index of them and one row group of examples are in memory. Each thread (`components.beam.threads.OnThreads`)
    processes one partition at a time.
    """
    if plan.partitions:
        return plan.partitions
    known = list(found)
    rows, size = sum(piece.rows for piece in known), sum(piece.bytes for piece in known)
    return min(MOST, max(2, -(-rows // ROWS_PER_PARTITION), -(-size // BYTES_PER_PARTITION)))


def read_piece(
    piece: Piece, plan: EventLogsPlan, partitions: int, limit: int, tally: Tally
) -> Iterator[Rows | pl.DataFrame]:
    """The piece's well-formed events by partition (`Rows`) and its dead letters (frames). Adds counts to `tally`.

    Args:
        piece: piece to read.
        plan: plan of the stage.
        partitions: number of partitions.
        limit: latest possible time, microseconds.
        tally: tally that receives the counts.
    """
    streams = [stream for stream in plan.streams if stream.name in piece.streams]
    needed: dict[str, str] = {}
    for stream in streams:
        needed |= needed_columns(plan, stream) | needed
    block, present = None, set[str]()
    for block in read(piece):
        if not block.open_ended:
            require_columns(block, needed, piece.name)
        yield from _read_block(block, piece, streams, plan, partitions, limit, tally, present)
    if block is not None and block.columns:
        for stream in streams:
            if block.open_ended:
                required = dict.fromkeys(stream.where, f"`where` of stream {stream.name!r}")
                required |= event_columns(stream) if stream.name in present else {}
                require_columns(block, required, piece.name)
            for column in block.columns if stream.name in present else ():
                tally.add(1, "column", stream.name, column)


def _read_block(
    block: Block,
    piece: Piece,
    streams: list[StreamPlan],
    plan: EventLogsPlan,
    partitions: int,
    limit: int,
    tally: Tally,
    present: set[str],
) -> Iterator[Rows | pl.DataFrame]:
    hashes = row_hashes(block.frame)
    for position, stream in enumerate(streams):
        prepared = prepare(block, hashes, stream, _wanted(plan, stream), limit, piece.name, plan.as_of)
        # A row that cannot be read may belong to any stream of the file. It is counted once, in the first stream.
        if prepared.events.height or prepared.dead.height or prepared.after:
            present.add(stream.name)
        dead = pl.concat([prepared.dead, broken_letters(block)]) if position == 0 else prepared.dead
        other = prepared.other + (len(block.broken) if position else 0)
        read = prepared.events.height + dead.height + prepared.after
        tally.add(read, "account", stream.name, "read")
        tally.add(read, "file", stream.name, piece.name)
        tally.add(prepared.after, "account", stream.name, "after_as_of")
        if stream.time:
            tally.timeline(stream.name).add(prepared.events[TIME], prepared.keys[NUMBER].to_numpy(), piece.name)
        tally.add(other, "account", stream.name, "other")
        _count_hints(prepared, stream, plan, tally)
        count_spellings(prepared.keys, stream, piece.name, tally)
        note_negatives(prepared.events, prepared.keys[NUMBER], stream, plan, piece.name, tally)
        if dead.height:
            dead_letters.count(dead, stream.name, piece.name, tally)
            yield dead_letters.letters(dead, stream.name, piece.name)
        if prepared.events.height:
            yield from _by_partition(prepared.events, plan, stream, partitions)


def _wanted(plan: EventLogsPlan, stream: StreamPlan) -> list[Wanted]:
    if not plan.makes_examples(stream):
        return []
    columns = [Wanted(column.name, column) for column in plan.columns]
    return columns + labelled.wanted_labels(plan.label_tasks) + labelled.wanted_weights(plan.tasks)


def _count_hints(prepared: Prepared, stream: StreamPlan, plan: EventLogsPlan, tally: Tally) -> None:
    for column, values in prepared.others.items():
        for value in values:
            tally.add(1, "where", stream.name, column, value)
    if plan.makes_examples(stream):
        for task in plan.label_tasks:
            for value in labelled.label_values(prepared.events, task) if task.positive else []:
                tally.add(1, "label", task.name, value)


def _by_partition(events: pl.DataFrame, plan: EventLogsPlan, stream: StreamPlan, partitions: int) -> Iterator[Rows]:
    if plan.makes_examples(stream):
        elsewhere = [] if plan.labelled else [label_column(task) for task in plan.label_tasks]
        features = events.drop(KEY, USER, VALUE, *elsewhere, strict=False)
        yield Rows(features, _numbers(events[ROW], partitions), "feature", stream.name)
    if not stream.key:
        return
    homes = _numbers(events[KEY].hash(_PARTITION_SEED), partitions)
    yield Rows(events.select(_no_events(plan, stream).columns), homes, "event", stream.name)
    at = [pl.Series(HOME, homes)]
    if stream.user:
        at.append(pl.Series(_USER_HOME, _numbers(events[USER].hash(_PARTITION_SEED), partitions)))
        columns = [USER, TIME, ROW, *([VALUE] if stream.value else [])]
        users = events.select(*columns, *at).drop_nulls(USER)
        yield Rows(users.drop(_USER_HOME), users[_USER_HOME].to_numpy(), "user", stream.name)
    if stream.event_id:
        ids = events.select(EVENT_ID, TIME, ROW, *at).drop_nulls(EVENT_ID)
        yield Rows(ids, _numbers(ids[EVENT_ID].hash(_PARTITION_SEED), partitions), "id", stream.name)


def _numbers(hashes: pl.Series, partitions: int) -> np.ndarray:
    return (hashes.to_numpy() % np.uint64(partitions)).astype(np.int32)


def lost_copies(references: Iterable[Reference]) -> Iterator[Rows]:
    """The events that lose their event id to an earlier event, for the partitions of their keys (role "duplicate") and users."""
    for (_, stream), held in grouped(references).items():
        ids = shuffle.read(held)
        if ids is not None:
            copies = later_copies(ids)
            yield Rows(copies.select(TIME, ROW), copies[HOME].to_numpy(), "duplicate", stream)
            if _USER_HOME in copies.columns:
                yield Rows(copies.select(TIME, ROW), copies[_USER_HOME].to_numpy(), "user_duplicate", stream)


def labels_of(references: Iterable[Reference], plan: EventLogsPlan, partitions: int, as_of: int, tally: Tally) -> Rows:
    """Labels and weights of one partition's impressions (time, row hash, label/<task>, weight/<task>).

    Args:
        references: the events and duplicates of all streams with keys in the partition.
        plan: plan of the stage.
        partitions: number of partitions.
        as_of: microseconds; the logs are complete up to this time.
        tally: tally that receives the counts.
    """
    found = grouped(references)
    events: dict[str, pl.DataFrame] = {}
    for stream in plan.streams:
        rows = shuffle.read(found.get(("event", stream.name), ()))
        duplicate_rows = shuffle.read(found.get(("duplicate", stream.name), ()))
        events[stream.name], duplicates = unique_events(
            _no_events(plan, stream) if rows is None else rows, duplicate_rows
        )
        events[stream.name] = _with_followed(events[stream.name], found, stream, plan)
        tally.add(duplicates, "account", stream.name, "duplicate")
    impressions = events.pop(str(plan.impressions))
    examples, counts = attribute(impressions, events, plan.tasks, as_of, plan.tolerances, plan.begin)
    for name, count in counts.items():
        for what in ("used", "late", "orphan"):
            tally.add(count[what], "account", name, what)
        for what in count.keys() - {"used", "late", "orphan"}:
            tally.add(count[what], what, name)
    labels = examples.drop(KEY, EVENT_ID, strict=False)
    return Rows(labels, _numbers(labels[ROW], partitions), "label", str(plan.impressions))


def _with_followed(
    events: pl.DataFrame, found: dict[tuple[str, str], list[Reference]], stream: StreamPlan, plan: EventLogsPlan
) -> pl.DataFrame:
    """The events with the columns that `futures.follow_ups_of` found for them, by time and row hash."""
    if not stream.user:
        return events
    if stream.name == plan.impressions:
        role, added = "future", {label_column(task): pl.lit(None, pl.Float64) for task in plan.user_tasks}
    else:
        role, added = "followed", dict.fromkeys((FOLLOWED, KNOWN), pl.lit(False))
    rows = shuffle.read(found.get((role, stream.name), ()))
    if rows is None:
        return events.with_columns(**added)
    joined = events.join(rows, on=[TIME, ROW], how="left")
    return joined if role == "future" else joined.with_columns(pl.col(*added).fill_null(False))


def grouped(references: Iterable[Reference]) -> dict[tuple[str, str], list[Reference]]:
    """{(role, stream): its references}."""
    groups: dict[tuple[str, str], list[Reference]] = {}
    for reference in references:
        groups.setdefault((reference.role, reference.stream), []).append(reference)
    return groups


def _no_events(plan: EventLogsPlan, stream: StreamPlan) -> pl.DataFrame:
    schema: dict[str, type[pl.DataType]] = {ROW: pl.UInt64, KEY: pl.String, TIME: pl.Int64}
    if stream.event_id:
        schema[EVENT_ID] = pl.String
    if stream.value:
        schema[VALUE] = pl.Float64
    for task in plan.label_tasks if plan.makes_examples(stream) else ():
        schema[label_column(task)] = pl.String if task.positive else pl.Float32
    return pl.DataFrame(schema=schema)
