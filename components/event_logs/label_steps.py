"""The steps of the pipeline from events to labels: by event id, by user if a task asks for it, and by key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import apache_beam as beam

from components.beam.outputs import Broadcast, Output, Select, without_broadcast
from components.beam.threads import OnThreads, Together
from components.event_logs import shuffle
from components.event_logs.futures import follow_ups_of
from components.event_logs.partitions import labels_of, lost_copies
from components.event_logs.plan import EventLogsPlan
from components.event_logs.shuffle import Reference, ShuffleWriter
from components.event_logs.splits import needs_times
from components.event_logs.tally import Tally
from components.example_schema import TIME


class LostCopies(OnThreads):
    """The event ids of a partition -> references to the events that lose their id, by the partition of their keys."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def work(self, number: int, values: list[Reference]) -> Iterator[Output]:
        """The outputs for one partition."""
        with ShuffleWriter(shuffle.folder_of(self.folder), f"ids-{number:05d}") as writer:
            for lost in lost_copies(values):
                writer.add(lost)
        yield from of_roles(writer)


class FollowUps(OnThreads):
    """The events of a partition of users -> references to the numbers of labels, and to the outcomes, by partition of their keys."""

    def __init__(self, plan: EventLogsPlan, folder: str) -> None:
        self.plan, self.folder = plan, folder

    def work(self, number: int, values: list[Reference]) -> Iterator[Output]:
        """The outputs for one partition."""
        with ShuffleWriter(shuffle.folder_of(self.folder), f"users-{number:05d}") as writer:
            for found in follow_ups_of(values, self.plan):
                writer.add(found)
        yield from of_roles(writer)


class Attribute(OnThreads):
    """The events of a partition, and `as_of` -> references to the labels of its impressions; also kinds "tally" and "times"."""

    def __init__(self, plan: EventLogsPlan, partitions: int, folder: str) -> None:
        self.plan, self.partitions, self.folder = plan, partitions, folder

    def work(self, number: int, values: list[Any]) -> Iterator[Output]:
        """The outputs for one partition. The broadcast value is `as_of`."""
        tally = Tally()
        references, as_of = without_broadcast(values)
        labels = labels_of(references, self.plan, self.partitions, as_of, tally)
        with ShuffleWriter(shuffle.folder_of(self.folder), f"labels-{number:05d}") as writer:
            writer.add(labels)
        yield from of_roles(writer)
        if needs_times(self.plan.split):
            yield "times", labels.frame[TIME].to_numpy()
        yield "tally", tally


def of_roles(writer: ShuffleWriter) -> Iterator[Output]:
    """The references to the written rows, with their roles as kinds."""
    for number, reference in writer.references():
        yield reference.role, (number, reference)


def labels_by_key(
    read: beam.PCollection, plan: EventLogsPlan, partitions: int, folder: str, as_of: beam.PCollection
) -> beam.PCollection:
    """The outputs of `Attribute`, from those of `pipeline.Read`."""
    copies = (
        read | "event ids" >> Select("id") | "by id" >> Together() | "later copies" >> beam.ParDo(LostCopies(folder))
    )
    inputs = [read | "events" >> Select("event"), copies | "duplicate" >> Select("duplicate")]
    if plan.user_tasks:
        users = (
            (read | "users" >> Select("user"), copies | "copies of users" >> Select("user_duplicate"))
            | "users and copies" >> beam.Flatten()
            | "by user" >> Together()
            | "follow" >> beam.ParDo(FollowUps(plan, folder))
        )
        inputs += [users | "futures" >> Select("future"), users | "followed" >> Select("followed")]
    return (
        (*inputs, as_of | "tell as of" >> Broadcast(partitions))
        | "events and duplicates" >> beam.Flatten()
        | "by key" >> Together()
        | "attribute" >> beam.ParDo(Attribute(plan, partitions, folder))
    )
