"""The stage as a Beam pipeline: references to rows in files go through three barriers, and there is exactly one leaf.

pieces -> read --- dead letters (written where they are found)
           |--- latest time -> as_of --------------------------(side input)
           |--- event ids -> by id -> later copies --.              |
           |--- events ------------------------------+-> by key -> attribute -> times -> split limit --(side input)
           |                                                        '-> labels -.                           |
           '--- features -------------------------------------------------------+-> by row -----------> write -.
                                                                                                               |
           counts of all steps --------------------------------------------------------------------------------+-> sum
                                                                                                   -> tally.json
Labelled examples have no events: their features go from read to write, and their times to the split limit.
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
from apache_beam.pvalue import AsSingleton, TaggedOutput

from components.beam_messages import plain_messages
from components.event_logs import books, dead_letters, shuffle
from components.event_logs.checks import check
from components.event_logs.events import TIME
from components.event_logs.examples import evaluates, examples_of
from components.event_logs.partition_count import count_of_partitions
from components.event_logs.partitions import labels_of, lost_copies, read_piece
from components.event_logs.plan import EventLogsPlan
from components.event_logs.shuffle import Reference, Rows, ShuffleWriter
from components.event_logs.splits import time_limit
from components.event_logs.streams import Piece, pieces
from components.event_logs.tally import Tally, merged
from components.event_logs.threads import OnThreads, Together
from components.event_logs.writing import count_labels, write_splits
from components.storage.reading import read_text
from components.storage.writing import make_folder, remove_folder, write_text

TALLY = "tally.json"
Keyed = tuple[int, Reference]


class Read(OnThreads):
    """A piece -> references to its well-formed events, by partition; writes its dead letters.

    Tags: "tally"; "latest", the latest time; "times", all times of labelled examples.
    """

    def __init__(self, plan: EventLogsPlan, partitions: int, limit: int, folder: str) -> None:
        self.plan, self.partitions, self.limit, self.folder = plan, partitions, limit, folder

    def work(self, number: int, values: list[Piece], side: Any) -> Iterator[Any]:
        """The outputs for one piece."""
        tally = Tally()
        with ShuffleWriter(shuffle.folder_of(self.folder), f"piece-{number:05d}") as writer:
            for piece in values:
                for found in read_piece(piece, self.plan, self.partitions, self.limit, tally):
                    if isinstance(found, pl.DataFrame):
                        dead_letters.write(found, os.path.join(self.folder, dead_letters.FOLDER))
                        continue
                    writer.add(found)
                    if TIME in found.frame.columns:
                        yield from self._times(found)
        yield from writer.references()
        yield TaggedOutput("tally", tally)

    def _times(self, found: Rows) -> Iterator[TaggedOutput]:
        times = found.frame[TIME].to_numpy()
        if len(times):
            yield TaggedOutput("latest", int(times.max()))
        if self.plan.labelled:
            yield TaggedOutput("times", times)


class LostCopies(OnThreads):
    """The event ids of a partition -> references to the events that lose theirs, by the partition of their keys."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def work(self, number: int, values: list[Reference], side: Any) -> Iterator[Keyed]:
        """The outputs for one partition."""
        with ShuffleWriter(shuffle.folder_of(self.folder), f"ids-{number:05d}") as writer:
            for lost in lost_copies(values):
                writer.add(lost)
        yield from writer.references()


class Attribute(OnThreads):
    """The events of a partition -> references to the labels of its impressions; tags "tally", "times"."""

    def __init__(self, plan: EventLogsPlan, partitions: int, folder: str) -> None:
        self.plan, self.partitions, self.folder = plan, partitions, folder

    def work(self, number: int, values: list[Reference], side: Any) -> Iterator[Any]:
        """The outputs for one partition; `side`: the moment up to which the logs are complete."""
        tally = Tally()
        labels = labels_of(values, self.plan, self.partitions, side, tally)
        with ShuffleWriter(shuffle.folder_of(self.folder), f"labels-{number:05d}") as writer:
            writer.add(labels)
        yield from writer.references()
        yield TaggedOutput("times", labels.frame[TIME].to_numpy())
        yield TaggedOutput("tally", tally)


class WriteExamples(OnThreads):
    """The features and labels of a partition -> its file in each split, and a tally."""

    def __init__(self, plan: EventLogsPlan, partitions: int, folder: str) -> None:
        self.plan, self.partitions, self.folder = plan, partitions, folder

    def work(self, number: int, values: list[Reference], side: Any) -> Iterator[Tally]:
        """The output for one partition; `side`: the moment from which on examples evaluate, or None."""
        tally = Tally()
        file = f"examples-{number:05d}-of-{self.partitions:05d}.parquet"
        for examples in examples_of(values, self.plan, tally):
            chosen = evaluates(examples, self.plan, side)
            for split, part in write_splits(examples.features, examples.labels, chosen, self.plan, self.folder, file):
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
    """Adds the stage to a Beam pipeline. Its one leaf is the file tally.json in the folder of the shuffle.

    Args:
        pipeline: the Beam pipeline.
        plan: the stage's plan.
        folder: where Split-train, Split-eval and dead_letters are written.
        now: the wall clock in microseconds; for `as_of: latest` no event can be later.
    """
    found = pieces(plan)
    partitions = count_of_partitions(plan, found)
    limit = now if plan.as_of is None else plan.as_of
    reading = beam.ParDo(Read(plan, partitions, limit, folder)).with_output_types(Keyed)
    read = (
        pipeline
        | "pieces" >> beam.Create(list(enumerate(found)))
        | "some pieces" >> Together()
        | "read" >> reading.with_outputs("tally", "latest", "times", main="rows")
    )
    as_of: Any = plan.as_of
    if as_of is None:
        as_of = AsSingleton(read.latest | "as of" >> beam.CombineGlobally(_latest_of))
    features = read.rows | "features" >> beam.Filter(_has_role, "feature")
    times, tallies, inputs = read.times, [read.tally], [features]
    if not plan.labelled:
        labels = _labels(read.rows, plan, partitions, folder, as_of)
        times = labels.times
        tallies.append(labels.tally)
        inputs.append(labels.rows)
    split_at = _split_at(times, plan, as_of)
    written = (
        inputs
        | "features and labels" >> beam.Flatten()
        | "by row" >> Together()
        | "write" >> beam.ParDo(WriteExamples(plan, partitions, folder), split_at)
    )
    (
        [*tallies, written]
        | "tallies" >> beam.Flatten()
        | "sum" >> beam.CombineGlobally(merged)
        | "save" >> beam.Map(_save, os.path.join(shuffle.folder_of(folder), TALLY), as_of, split_at)
    )


def run(
    plan: EventLogsPlan, folder: str, make_pipeline: Callable[[], AbstractContextManager[beam.Pipeline]]
) -> dict[str, dict[str, int]]:
    """Runs the stage into `folder`, checks what came out, and returns the books.

    Raises:
        InputError: the logs are missing, unreadable or not what the recipe says.
    """
    make_folder(folder)
    try:
        with plain_messages(), make_pipeline() as pipeline:
            build(pipeline, plan, folder, int(time.time() * 1_000_000))
        saved = json.loads(read_text(os.path.join(shuffle.folder_of(folder), TALLY)))
    finally:
        remove_folder(shuffle.folder_of(folder))
    tally = Tally.from_json(saved["tally"])
    check(plan, tally)
    found = books.books(plan, tally)
    books.write(folder, found, books.summary(plan, tally, saved["as_of"], saved["split_at"]))
    return found


def _labels(rows: beam.PCollection, plan: EventLogsPlan, partitions: int, folder: str, as_of: Any) -> Any:
    events = rows | "events" >> beam.Filter(_has_role, "event")
    losers = (
        rows
        | "event ids" >> beam.Filter(_has_role, "id")
        | "by id" >> Together()
        | "later copies" >> beam.ParDo(LostCopies(folder)).with_output_types(Keyed)
    )
    attributing = beam.ParDo(Attribute(plan, partitions, folder), as_of).with_output_types(Keyed)
    return (
        (events, losers)
        | "events and losers" >> beam.Flatten()
        | "by key" >> Together()
        | "attribute" >> attributing.with_outputs("tally", "times", main="rows")
    )


def _split_at(times: beam.PCollection, plan: EventLogsPlan, as_of: Any) -> Any:
    split = plan.split
    if split.eval_from is not None or plan.streams[0].time is None or (len(plan.streams) > 1 and plan.labelled):
        return split.eval_from
    if split.eval_last is not None:
        if isinstance(as_of, int):
            return as_of - split.eval_last
        once = times.pipeline | "once" >> beam.Create([split])
        return AsSingleton(once | "split by as of" >> beam.Map(time_limit, (), as_of))
    return AsSingleton(times | "split limit" >> beam.CombineGlobally(Times(plan)))


def _has_role(element: Keyed, role: str) -> bool:
    return element[1].role == role


def _latest_of(times: Iterable[int]) -> int:
    return max(times, default=0)


def _save(tally: Tally, path: str, as_of: int, split_at: int | None) -> str:
    write_text(path, json.dumps({"tally": tally.to_json(), "as_of": as_of or None, "split_at": split_at}))
    return path
