"""The stage as a Beam pipeline: references to rows in files pass three barriers. There is exactly one leaf.

pieces -> read --- dead letters (written where they are found)
           |--- watermarks -> as_of  -> to each partition --.
           |--- event ids -> by id -> later copies ---------|
           |--- users (`match: user`) -> by user -> futures |
           |--- events -------------------------------------+-> by key -> attribute -> times -> starts
           |                                                               |                |-> to each partition
           |                                                               '-> labels ------|
           '--- features -------------------------------------------------------------------+-> by row -> write -.
                                                                                                                 |
           as_of, starts of splits, counts of all steps --------------------------------------------------------+-> sum
                                                                                                         -> tally.json
Labelled examples have no events: their features go from read to write, and their times to the starts of the splits.
The pipeline uses only transforms that all of Beam's engines implement alike: see `components.beam.outputs`.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import apache_beam as beam
import numpy as np
import polars as pl

from components.beam.outputs import Broadcast, Output, Reduce, Select, without_broadcast
from components.beam.running import running
from components.beam.threads import OnThreads, Together, together
from components.event_logs import accounts, dead_letters, shuffle
from components.event_logs.accounts import write_files
from components.event_logs.checks import check
from components.event_logs.clocks import as_of_latest
from components.event_logs.examples import examples_of, splits_of
from components.event_logs.label_steps import labels_by_key, of_roles
from components.event_logs.listed_files import ListedFiles
from components.event_logs.night import count_new, lost, of_night
from components.event_logs.partitions import count_of_partitions, read_piece
from components.event_logs.plan import EventLogsPlan
from components.event_logs.shuffle import ShuffleWriter
from components.event_logs.spans import check_spans
from components.event_logs.splits import Starts, starts_from
from components.event_logs.streams import Piece, pieces
from components.event_logs.tally import Tally, merged
from components.event_logs.times import LATEST
from components.event_logs.writing import count_labels, write_splits
from components.example_schema import TIME, TRAIN, VALIDATE
from components.storage.reading import read_text
from components.storage.writing import make_folder, remove_folder, write_text
from models.recipe.split import VALIDATE_FRACTION

TALLY = "tally.json"

logger = logging.getLogger(__name__)


class Read(OnThreads):
    """A piece -> references to its well-formed events, by partition. Writes its dead letters.

    Kinds: the references' roles, each with (partition, reference); "tally"; "watermarks", {stream: its latest time}; "times",
    all times of labelled examples that have no files for their split.
    """

    def __init__(self, plan: EventLogsPlan, partitions: int, limit: int, folder: str) -> None:
        self.plan, self.partitions, self.limit, self.folder = plan, partitions, limit, folder

    def work(self, number: int, values: list[Piece]) -> Iterator[Output]:
        """The outputs for one piece."""
        tally, times = Tally(), [np.array([], np.int64)]
        with ShuffleWriter(shuffle.folder_of(self.folder), f"piece-{number:05d}") as writer:
            for piece in values:
                for found in read_piece(piece, self.plan, self.partitions, self.limit, tally):
                    if isinstance(found, pl.DataFrame):
                        dead_letters.write(found, os.path.join(self.folder, dead_letters.FOLDER))
                        continue
                    writer.add(found)
                    if self.plan.labelled and TIME in found.frame.columns and found.stream == self.plan.streams[0].name:
                        times.append(found.frame[TIME].to_numpy())
        yield from of_roles(writer)
        yield "tally", tally
        yield "watermarks", {stream: timeline.watermark for stream, timeline in tally.timelines.items()}
        if self.plan.labelled:
            yield "times", np.concatenate(times)


class WriteExamples(OnThreads):
    """The features and labels of a partition, and the starts of the splits -> its file in each split, and a tally."""

    def __init__(self, plan: EventLogsPlan, partitions: int, folder: str) -> None:
        self.plan, self.partitions, self.folder = plan, partitions, folder

    def work(self, number: int, values: list[Any]) -> Iterator[Output]:
        """The output for one partition. The broadcast value is the `Starts`."""
        tally = Tally()
        references, starts = without_broadcast(values)
        file = f"examples-{number:05d}-of-{self.partitions:05d}.parquet"
        for examples in examples_of(references, self.plan):
            labels, chosen = of_night(examples.labels, splits_of(examples, self.plan, starts), self.plan)
            tally.add(count_new(labels, chosen, self.plan), "new", TRAIN)
            for entry, count in lost(chosen).items():
                tally.add(count, "account", examples.stream, entry)
            for split, part in write_splits(examples.features, labels, chosen, self.plan, self.folder, file):
                tally.add(part.height, "account", examples.stream, "used")
                count_labels(part, split, self.plan, tally)
        yield "tally", tally


def build(pipeline: beam.Pipeline, plan: EventLogsPlan, listed: ListedFiles, folder: str, now: int) -> None:
    """Adds the stage to a Beam pipeline. Its one leaf is the file tally.json in the shuffle folder.

    Args:
        pipeline: the Beam pipeline.
        plan: plan of the stage.
        listed: the files to read.
        folder: output folder of Split-train, Split-validate, Split-eval and dead_letters.
        now: current time in microseconds; with `as_of: latest`, later times are malformed.
    """
    found = pieces(plan, listed)
    partitions = count_of_partitions(plan, found)
    # With a fixed `as_of` the result does not depend on when the stage runs.
    limit = now if plan.as_of is None else LATEST - 1
    read = (
        pipeline
        | "pieces" >> beam.Create(together(enumerate(found)))
        | "spread" >> beam.Reshuffle()
        | "read" >> beam.ParDo(Read(plan, partitions, limit, folder))
    )
    if plan.as_of is None:
        found_as_of = functools.partial(as_of_latest, plan=plan)
        as_of = read | "watermarks" >> Select("watermarks") | "as of" >> Reduce(found_as_of)
    else:
        as_of = pipeline | "as of" >> beam.Create([plan.as_of])
    labels = read if plan.labelled else labels_by_key(read, plan, partitions, folder, as_of)
    times = labels | "times" >> Select("times")
    starts = (
        (times, as_of)
        | "times and as of" >> beam.Flatten()
        | "starts" >> Reduce(functools.partial(starts_from, plan=plan))
    )
    to_write = [read | "features" >> Select("feature"), starts | "tell starts" >> Broadcast(partitions)]
    facts = [read | "counts of read" >> Select("tally")]
    if not plan.labelled:
        to_write.append(labels | "labels" >> Select("label"))
        facts.append(labels | "counts of attribute" >> Select("tally"))
    written = (
        to_write
        | "features and labels" >> beam.Flatten()
        | "by row" >> Together()
        | "write" >> beam.ParDo(WriteExamples(plan, partitions, folder))
    )
    facts += [
        written | "counts of write" >> Select("tally"),
        as_of | "fact as of" >> beam.Map(_fact, "as_of"),
        starts | "fact starts" >> beam.Map(_fact, "starts"),
    ]
    (
        facts
        | "facts" >> beam.Flatten()
        | "sum" >> Reduce(_summed)
        | "save" >> beam.Map(_save, os.path.join(shuffle.folder_of(folder), TALLY))
    )


def run(
    plan: EventLogsPlan,
    folder: str,
    make_pipeline: Callable[[], AbstractContextManager[beam.Pipeline]],
    fingerprint: str = "",
) -> dict[str, dict[str, int]]:
    """Runs the stage, checks the result, and returns the row accounting.

    Args:
        plan: plan of the stage.
        folder: output folder.
        make_pipeline: creates a Beam pipeline.
        fingerprint: fingerprint of the files to read (`fingerprint.fingerprint`); "" if none were visible at assembly.

    Raises:
        InputError: the logs are missing, unreadable, do not match the recipe, or changed during the run.
    """
    if not fingerprint:
        for stream in plan.streams:
            check_spans(plan.data, stream.name, stream.path, stream.spans)
    listed = ListedFiles(plan.data, {f"stream {stream.name!r}": stream.paths for stream in plan.streams}, fingerprint)
    with listed.still():
        return _run(plan, listed, folder, make_pipeline)


def _run(
    plan: EventLogsPlan,
    listed: ListedFiles,
    folder: str,
    make_pipeline: Callable[[], AbstractContextManager[beam.Pipeline]],
) -> dict[str, dict[str, int]]:
    make_folder(folder)
    try:
        with running(make_pipeline, folder) as pipeline:
            build(pipeline, plan, listed, folder, int(time.time() * 1_000_000))
        saved = json.loads(read_text(os.path.join(shuffle.folder_of(folder), TALLY)))
    finally:
        remove_folder(shuffle.folder_of(folder))
    tally = Tally.from_json(saved["tally"])
    starts = Starts(**saved["starts"])
    if not plan.split.names_validate and not plan.published(VALIDATE):
        logger.info(
            "split: no validate key; %s %g%% of the examples before the eval split validate",
            "the newest" if starts.validate is not None else "a hash chooses which",
            100 * VALIDATE_FRACTION,
        )
    warnings = check(plan, tally, saved["as_of"], starts)
    for warning in warnings:
        logger.warning(warning)
    found = accounts.accounts(plan, tally)
    write_files(folder, listed, plan, tally)
    summary = accounts.summary(plan, tally, saved["as_of"], starts, warnings)
    accounts.write(folder, found, summary, accounts.days(plan, tally))
    return found


def _fact(value: Any, name: str) -> dict[str, Any]:
    return {name: value}


def _summed(facts: Iterable[Tally | dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    tallies = []
    for fact in facts:
        if isinstance(fact, Tally):
            tallies.append(fact)
        else:
            found |= fact
    return {**found, "tally": merged(tallies).to_json()}


def _save(facts: dict[str, Any], path: str) -> str:
    write_text(
        path, json.dumps({**facts, "as_of": facts["as_of"] or None, "starts": dataclasses.asdict(facts["starts"])})
    )
    return path
