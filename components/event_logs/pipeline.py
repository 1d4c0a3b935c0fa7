"""The stage as a Beam pipeline: batches of rows between three barriers, and exactly one leaf.

pieces -> read --- dead letters (written where they are found)
           |--- event ids -> by id -> later copies ----.
           |--- times -> latest = as_of ---------------|--(side input)
           '--- events -> by key <---------------------'
                            |-> dedupe, attribute -> times -> split limit --(side input)
                            |                     '-> split, write -.
                            '-> counts -----------------------------+-> sum -> tally.json
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import apache_beam as beam
import numpy as np
import polars as pl
import pyarrow as pa
from apache_beam.pvalue import AsSingleton, TaggedOutput

from components.beam_messages import plain_messages
from components.event_logs import books, dead_letters
from components.event_logs.checks import check
from components.event_logs.events import ROW, TIME
from components.event_logs.partitions import (
    Keyed,
    count_of_partitions,
    examples_of,
    frames,
    latest,
    lost_copies,
    read_piece,
    role_of,
    stream_of,
)
from components.event_logs.plan import EventLogsPlan
from components.event_logs.splits import evaluates_by_hash, time_limit
from components.event_logs.streams import Piece, pieces
from components.event_logs.tally import Tally, merged
from components.event_logs.values import example_ids
from components.event_logs.writing import count_labels, schema, write_splits
from models.whole_file import write_whole

TALLY = "tally.json"


class RecordBatchCoder(beam.coders.Coder):
    """Record batches as Arrow IPC streams: a pickled slice would carry the whole batch that it is a slice of."""

    def encode(self, value: pa.RecordBatch) -> bytes:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, value.schema) as writer:
            writer.write_batch(value)
        return sink.getvalue().to_pybytes()

    def decode(self, encoded: bytes) -> pa.RecordBatch:
        with pa.ipc.open_stream(encoded) as reader:
            return reader.read_next_batch()

    def is_deterministic(self) -> bool:
        return True

    def to_type_hint(self) -> type:
        return pa.RecordBatch


beam.coders.registry.register_coder(pa.RecordBatch, RecordBatchCoder)


class Read(beam.DoFn):
    """A piece -> its well-formed events and their ids, by partition; writes its dead letters; tag "tally"."""

    def __init__(self, plan: EventLogsPlan, partitions: int, limit: int, folder: str) -> None:
        self.plan, self.partitions, self.limit, self.folder = plan, partitions, limit, folder

    def process(self, piece: Piece) -> Iterator[Any]:
        tally = Tally()
        for found in read_piece(piece, self.plan, self.partitions, self.limit, tally):
            if isinstance(found, pl.DataFrame):
                dead_letters.write(found, os.path.join(self.folder, dead_letters.FOLDER))
            else:
                yield found
        yield TaggedOutput("tally", tally)


class MakeExamples(beam.DoFn):
    """The batches of a partition -> its examples; tag "tally"."""

    def __init__(self, plan: EventLogsPlan) -> None:
        self.plan = plan

    def process(self, element: tuple[int, Iterable[pa.RecordBatch]], as_of: int) -> Iterator[Any]:
        partition, batches = element
        tally = Tally()
        for examples in examples_of(batches, self.plan, as_of, tally):
            yield partition, examples
        yield TaggedOutput("tally", tally)


class WriteExamples(beam.DoFn):
    """The examples of a partition -> its file in each split, and a tally."""

    def __init__(self, plan: EventLogsPlan, partitions: int, folder: str) -> None:
        self.plan, self.partitions, self.folder = plan, partitions, folder

    def process(self, element: Keyed, limit: int | None) -> Iterator[Tally]:
        partition, held = element
        tally = Tally()
        evaluates = _evaluates(held, self.plan, limit)
        examples = next(iter(frames([held]).values()))
        types = schema(self.plan)
        for split, part in write_splits(examples, evaluates, types, self.folder, partition, self.partitions):
            count_labels(part, split, self.plan, tally)
        yield tally


class Times(beam.CombineFn):
    """All examples' times -> the moment from which on they evaluate (`splits.time_limit`)."""

    def __init__(self, plan: EventLogsPlan) -> None:
        self.plan = plan

    def create_accumulator(self) -> list[np.ndarray]:
        return []

    def add_input(self, accumulator: list[np.ndarray], times: np.ndarray) -> list[np.ndarray]:
        return [*accumulator, times]

    def merge_accumulators(self, accumulators: Iterable[list[np.ndarray]]) -> list[np.ndarray]:
        return [times for accumulator in accumulators for times in accumulator]

    def extract_output(self, accumulator: list[np.ndarray]) -> int | None:
        return time_limit(self.plan.split, accumulator, 0)


def build(pipeline: beam.Pipeline, plan: EventLogsPlan, folder: str, now: int) -> None:
    """Adds the stage to a Beam pipeline. Its one leaf is the file tally.json in `folder`.

    Args:
        pipeline: the Beam pipeline.
        plan: the stage's plan.
        folder: where Split-train, Split-eval and dead_letters are written.
        now: the wall clock in microseconds; for `as_of: latest` no event can be later.
    """
    found = pieces(plan)
    partitions = count_of_partitions(plan, sum(piece.rows for piece in found))
    limit = now if plan.as_of is None else plan.as_of
    reading = beam.ParDo(Read(plan, partitions, limit, folder)).with_output_types(Keyed)
    read = pipeline | "pieces" >> beam.Create(found) | "read" >> reading.with_outputs("tally", main="events")
    events = read.events | "events" >> beam.Filter(_has_role, "event")
    losers = (
        read.events
        | "event ids" >> beam.Filter(_has_role, "id")
        | "by id" >> beam.GroupByKey()
        | "later copies" >> beam.FlatMap(_lost_copies).with_output_types(Keyed)
    )
    as_of: Any = plan.as_of
    if as_of is None:
        times = events | "times" >> beam.Map(_latest)
        as_of = AsSingleton(times | "as of" >> beam.CombineGlobally(_latest_of))
    making = beam.ParDo(MakeExamples(plan), as_of).with_output_types(Keyed)
    examples = (
        (events, losers)
        | "events and losers" >> beam.Flatten()
        | "by key" >> beam.GroupByKey()
        | "attribute" >> making.with_outputs("tally", main="made")
    )
    split_at = _split_at(examples.made, plan, as_of)
    written = examples.made | "write" >> beam.ParDo(WriteExamples(plan, partitions, folder), split_at)
    (
        (read.tally, examples.tally, written)
        | "tallies" >> beam.Flatten()
        | "sum" >> beam.CombineGlobally(merged)
        | "save" >> beam.Map(_save, os.path.join(folder, TALLY), as_of, split_at)
    )


def run(
    plan: EventLogsPlan, folder: str, make_pipeline: Callable[[], AbstractContextManager[beam.Pipeline]]
) -> dict[str, dict[str, int]]:
    """Runs the stage into `folder`, checks what came out, and returns the books.

    Raises:
        InputError: the logs are missing, unreadable or not what the recipe says.
    """
    os.makedirs(folder, exist_ok=True)
    with plain_messages(), make_pipeline() as pipeline:
        build(pipeline, plan, folder, int(time.time() * 1_000_000))
    path = os.path.join(folder, TALLY)
    with open(path, encoding="utf-8") as file:
        saved = json.load(file)
    os.remove(path)
    tally = Tally.from_json(saved["tally"])
    check(plan, tally)
    found = books.books(plan, tally)
    books.write(folder, found, books.summary(plan, tally, saved["as_of"], saved["split_at"]))
    return found


def _split_at(examples: beam.PCollection, plan: EventLogsPlan, as_of: Any) -> Any:
    split = plan.split
    if split.eval_from is not None or plan.streams[0].time is None or (len(plan.streams) > 1 and plan.labelled):
        return split.eval_from
    if split.eval_last is not None:
        if isinstance(as_of, int):
            return as_of - split.eval_last
        once = examples.pipeline | "once" >> beam.Create([split])
        return AsSingleton(once | "split by as of" >> beam.Map(time_limit, (), as_of))
    times = examples | "example times" >> beam.Map(_times)
    return AsSingleton(times | "split limit" >> beam.CombineGlobally(Times(plan)))


def _evaluates(held: pa.RecordBatch, plan: EventLogsPlan, limit: int | None) -> np.ndarray:
    if plan.labelled and len(plan.streams) > 1:
        return np.full(held.num_rows, stream_of(held) == plan.streams[1].name)
    if TIME not in held.schema.names:
        # By the id of the first of equal rows: twins in both splits would let the model learn what it is asked.
        rows = held.column(ROW).to_numpy()
        firsts = example_ids(rows, np.zeros(len(rows), np.uint64), stream_of(held))
        return evaluates_by_hash(firsts, plan.split.eval_fraction or 0.0)
    return held.column(TIME).to_numpy() >= (limit or 0)


def _has_role(element: Keyed, role: str) -> bool:
    return role_of(element[1]) == role


def _lost_copies(element: tuple[int, Iterable[pa.RecordBatch]]) -> Iterator[Keyed]:
    return lost_copies(element[1])


def _latest(element: Keyed) -> int | None:
    return latest(element[1])


def _latest_of(times: Iterable[int | None]) -> int:
    return max((time for time in times if time is not None), default=0)


def _times(element: Keyed) -> np.ndarray:
    return element[1].column(TIME).to_numpy()


def _save(tally: Tally, path: str, as_of: int, split_at: int | None) -> str:
    write_whole(path, json.dumps({"tally": tally.to_json(), "as_of": as_of or None, "split_at": split_at}))
    return path
