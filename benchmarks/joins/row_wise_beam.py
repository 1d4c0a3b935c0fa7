"""The join as a Beam user writes it: a dict for each event, CoGroupByKey, last touch by hand, Parquet out.

python -m benchmarks.joins.row_wise_beam QUESTION, with `data`, the folder of the wide logs, and `recipe`. The labels are
those of our stage: of the events with one id the first counts, an outcome belongs to the last impression before it, and the
accounts that our stage keeps besides are not kept here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.joins.of_recipe import problem_of
from benchmarks.joins.problem import Problem, positives
from benchmarks.stages.artifacts import BEAM, start_beam
from benchmarks.stages.door import answer, clock

Row = dict[str, Any]
Keyed = tuple[tuple[Any, ...], Row]


class Attribute(beam.DoFn):
    """All events of one key -> its examples."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem

    def process(self, element: tuple[tuple[Any, ...], Mapping[str, Iterable[Row]]]) -> Iterator[Row]:
        _, streams = element
        problem = self.problem
        impressions = self._once(streams["impression"], "impression")
        times = [impression["time"] for impression in impressions]
        credited: list[dict[str, list[Row]]] = [{} for _ in impressions]
        for stream in problem.outcomes:
            for event in self._once(streams[stream], stream):
                before = [at for at, time in enumerate(times) if time <= event["time"]]
                if before:
                    credited[before[-1]].setdefault(stream, []).append(event)
        for impression, events in zip(impressions, credited, strict=True):
            yield self._labelled(impression, events)

    def _once(self, events: Iterable[Row], stream: str) -> list[Row]:
        name = self.problem.event_ids[stream]
        first: dict[Any, Row] = {}
        for event in sorted(events, key=lambda event: (event["time"], event[name])):
            first.setdefault(event[name], event)
        return list(first.values())

    def _labelled(self, impression: Row, events: Mapping[str, list[Row]]) -> Row:
        found = dict(impression)
        positive: dict[str, bool] = {}
        for task in self.problem.tasks:
            end = impression["time"] + task.window_ms
            inside = [event for event in events.get(task.stream, []) if event["time"] <= end]
            # An open window says nothing yet; and a task is observed only where the one that it is given happened.
            observed = end <= self.problem.as_of_ms and (task.conditioned_on is None or positive[task.conditioned_on])
            label = float(sum(event[task.value] for event in inside)) if task.value else float(bool(inside))
            positive[task.name] = observed and bool(inside)
            found[f"label/{task.name}"] = label if observed else 0.0
            found[f"weight/{task.name}"] = float(observed)
        return found


def run(question: Mapping[str, Any]) -> dict[str, Any]:
    """The join of all the logs in `data`, written to `out`."""
    problem, data, out = problem_of(question["recipe"]), Path(question["data"]), Path(question["out"])
    schema = _schema(problem, data)
    start_beam()
    with clock() as seconds, beam.Pipeline(argv=list(BEAM)) as pipeline:
        streams = {
            stream: pipeline
            | f"Read {stream}" >> beam.io.ReadFromParquet(str(data / problem.paths[stream]))
            | f"Key {stream}" >> beam.Map(_keyed, key=problem.key)
            for stream in problem.paths
        }
        examples = streams | beam.CoGroupByKey() | "Attribute" >> beam.ParDo(Attribute(problem))
        for split, (start, end) in problem.spans.items():
            _ = (
                examples
                | f"Split {split}" >> beam.Filter(_in_split, start=start, end=end)
                | f"Write {split}" >> beam.io.WriteToParquet(str(out / split), schema, file_name_suffix=".parquet")
            )
    return {"seconds": seconds[0], **positives(out, problem)}


def _keyed(row: Row, key: tuple[str, ...]) -> Keyed:
    return tuple(row[name] for name in key), row


def _in_split(row: Row, start: int, end: int) -> bool:
    return bool(start <= row["time"] < end)


def _schema(problem: Problem, data: Path) -> pa.Schema:
    found = pq.read_schema(next(data.glob(problem.paths["impression"])))
    for task in problem.tasks:
        for part in ("label", "weight"):
            found = found.append(pa.field(f"{part}/{task.name}", pa.float32()))
    return found


if __name__ == "__main__":
    answer(run)
