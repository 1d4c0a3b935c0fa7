"""The pure work between the shuffles: a piece into batches by partition, a partition's batches into examples.

A batch is a record batch whose schema metadata say what it holds: {"role": event | id | loser, "stream": name}.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import polars as pl
import pyarrow as pa

from components.event_logs import dead_letters, labelled
from components.event_logs.attribution import attribute, later_copies, unique_events
from components.event_logs.blocks import Block
from components.event_logs.events import (
    EVENT_ID,
    KEY,
    ROW,
    TIME,
    VALUE,
    Prepared,
    Wanted,
    broken_letters,
    event_columns,
    needed_columns,
    prepare,
)
from components.event_logs.plan import EventLogsPlan, StreamPlan
from components.event_logs.streams import Piece, read, require_columns
from components.event_logs.tally import Tally
from components.event_logs.values import example_ids, row_hashes
from components.event_logs.writing import EXAMPLE_ID

PARTITION = "gatewise/partition"
Keyed = tuple[int, pa.RecordBatch]
_PARTITION_SEED = 7


def count_of_partitions(plan: EventLogsPlan, rows: int) -> int:
    """The plan's, or one per 500,000 rows and at least 2."""
    return plan.partitions or max(2, -(-rows // 500_000))


def read_piece(
    piece: Piece, plan: EventLogsPlan, partitions: int, limit: int, tally: Tally
) -> Iterator[Keyed | pl.DataFrame]:
    """The piece's well-formed events by partition, and its dead letters (the frames); counts go into `tally`.

    Args:
        piece: what to read.
        plan: the stage's.
        partitions: number of partitions.
        limit: latest allowed time, microseconds.
        tally: added to.
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
) -> Iterator[Keyed | pl.DataFrame]:
    hashes = row_hashes(block.frame, text_numbers=block.text_numbers)
    for position, stream in enumerate(streams):
        prepared = prepare(block, hashes, stream, _wanted(plan, stream), limit, piece.name)
        # A row that cannot be read may be of any of the file's streams: it goes to the first, so it is counted once.
        if prepared.events.height or prepared.dead.height:
            present.add(stream.name)
        dead = pl.concat([prepared.dead, broken_letters(block)]) if position == 0 else prepared.dead
        other = prepared.other + (len(block.broken) if position else 0)
        tally.add(prepared.events.height + dead.height, "book", stream.name, "read")
        tally.add(other, "book", stream.name, "other")
        _count_hints(prepared, block, stream, plan, tally)
        if dead.height:
            dead_letters.count(dead, stream.name, piece.name, tally)
            yield dead_letters.letters(dead, stream.name, piece.name)
        if prepared.events.height:
            yield from _by_partition(prepared.events, stream, partitions)


def _wanted(plan: EventLogsPlan, stream: StreamPlan) -> list[Wanted]:
    columns = [Wanted(column.name, column) for column in plan.columns] if plan.makes_examples(stream) else []
    return columns + (labelled.wanted_labels(plan.tasks) if plan.labelled else [])


def _count_hints(prepared: Prepared, block: Block, stream: StreamPlan, plan: EventLogsPlan, tally: Tally) -> None:
    for column, values in prepared.others.items():
        for value in values:
            tally.add(1, "where", stream.name, column, value)
    if plan.labelled:
        for task in plan.tasks:
            for value in labelled.label_values(block.frame, task) if task.positive else []:
                tally.add(1, "label", task.name, value)


def _by_partition(events: pl.DataFrame, stream: StreamPlan, partitions: int) -> Iterator[Keyed]:
    column = KEY if stream.key else ROW
    numbers = (events[column].hash(_PARTITION_SEED) % partitions).cast(pl.Int64)
    events = events.with_columns(numbers.alias(PARTITION))
    for (number,), part in events.partition_by(PARTITION, as_dict=True).items():
        yield int(number), batch(part.drop(PARTITION), "event", stream.name)
    if stream.event_id and stream.key:
        ids = events.select(EVENT_ID, TIME, ROW, PARTITION).drop_nulls()
        homes = ids.with_columns((pl.col(EVENT_ID).hash(_PARTITION_SEED) % partitions).alias("home"))
        for (home,), part in homes.partition_by("home", as_dict=True).items():
            yield int(home), batch(part.drop("home"), "id", stream.name)


def lost_copies(batches: Iterable[pa.RecordBatch]) -> Iterator[Keyed]:
    """The rows whose event id an earlier row keeps, sent to the partitions of their keys (batches of role "loser")."""
    for (_, stream), ids in frames(batches).items():
        for (number,), part in later_copies(ids).partition_by(PARTITION, as_dict=True).items():
            yield int(number), batch(part.select(TIME, ROW), "loser", stream)


def examples_of(
    batches: Iterable[pa.RecordBatch], plan: EventLogsPlan, as_of: int, tally: Tally
) -> Iterator[pa.RecordBatch]:
    """The examples of one partition, a batch per stream that makes examples."""
    found = frames(batches)
    if plan.labelled:
        for stream in plan.streams:
            rows = found.get(("event", stream.name))
            if rows is not None:
                tally.add(rows.height, "book", stream.name, "used")
                examples = labelled.labels(labelled.number_twins(rows, ROW, stream.name), plan.tasks)
                yield batch(examples, "examples", stream.name)
        return
    events: dict[str, pl.DataFrame] = {}
    for stream in plan.streams:
        rows = found.get(("event", stream.name), _no_events(stream))
        events[stream.name], duplicates = unique_events(rows, found.get(("loser", stream.name)))
        tally.add(duplicates, "book", stream.name, "duplicate")
    impressions = events.pop(str(plan.impressions))
    examples, counts = attribute(impressions, events, plan.tasks, as_of)
    tally.add(examples.height, "book", str(plan.impressions), "used")
    for name, count in counts.items():
        for what in ("used", "late", "orphan"):
            tally.add(count[what], "book", name, what)
        tally.add(count["orphan_before"], "orphan_before", name)
        tally.add(count["orphan_key"], "orphan_key", name)
    if examples.height:
        ids = pl.Series(EXAMPLE_ID, example_ids(examples[ROW].to_numpy()))
        yield batch(examples.drop(KEY, ROW).with_columns(ids), "examples", str(plan.impressions))


def batch(frame: pl.DataFrame, role: str, stream: str) -> pa.RecordBatch:
    """The frame as one record batch that says what it holds."""
    table = frame.to_arrow(compat_level=pl.CompatLevel.oldest()).combine_chunks()
    arrays = [column.chunk(0) if column.num_chunks else pa.array([], column.type) for column in table.columns]
    metadata = {"role": role, "stream": stream}
    return pa.RecordBatch.from_arrays(arrays, schema=table.schema.with_metadata(metadata))


def role_of(held: pa.RecordBatch) -> str:
    """What a batch holds: event, id, loser or examples."""
    return held.schema.metadata[b"role"].decode()


def stream_of(held: pa.RecordBatch) -> str:
    """The stream that a batch is of."""
    return held.schema.metadata[b"stream"].decode()


def frames(batches: Iterable[pa.RecordBatch]) -> dict[tuple[str, str], pl.DataFrame]:
    """{(role, stream): the rows of all its batches}."""
    groups: dict[tuple[str, str], list[pl.DataFrame]] = {}
    for held in batches:
        frame = pl.DataFrame(pl.from_arrow(pa.Table.from_batches([held])))
        groups.setdefault((role_of(held), stream_of(held)), []).append(frame)
    return {what: pl.concat(parts, rechunk=True) for what, parts in groups.items()}


def latest(held: pa.RecordBatch) -> int | None:
    """The latest time in a batch of events."""
    if TIME not in held.schema.names or held.num_rows == 0:
        return None
    return int(np.max(held.column(TIME).to_numpy()))


def _no_events(stream: StreamPlan) -> pl.DataFrame:
    schema: dict[str, type[pl.DataType]] = {ROW: pl.UInt64, KEY: pl.String, TIME: pl.Int64}
    if stream.event_id:
        schema[EVENT_ID] = pl.String
    if stream.value:
        schema[VALUE] = pl.Float64
    return pl.DataFrame(schema=schema)
