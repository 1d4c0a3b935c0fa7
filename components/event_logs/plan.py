"""The first stage's part of the recipe, and nothing else: a changed gate or layer must not read the logs again."""

from __future__ import annotations

import datetime
from typing import Literal

import pydantic

from components.event_logs.column_plan import ColumnPlan, CsvPlan, TimePlan
from components.event_logs.domain_plan import DomainPlan, domain_of
from components.event_logs.moments import EPOCH, micros
from components.event_logs.split_plan import SplitPlan
from components.example_schema import EVAL, VALIDATE
from models.recipe.features import column_types, feature_columns, has_list
from models.recipe.logs import Csv, LabelledExamples, Logs, Time
from models.recipe.night import Cursor, Night
from models.recipe.recipe import Recipe
from models.recipe.retrieval_columns import column_type
from models.recipe.section import Scalar
from models.recipe.spans import Spans, as_of, eval_start, paths_of, spans_of, start_of
from models.recipe.stage_plan import StagePlan
from models.recipe.tasks import reads_numbers, unmeasured_of
from models.recipe.vector import Vector

FILES_OF = {VALIDATE: "validate_examples", EVAL: "eval_examples"}
"""Split -> name of the file set of labelled examples that is this split, in `EventLogsPlan.streams`."""


class StreamPlan(StagePlan):
    """A stream of events, or a file set of labelled examples (no key, time optional). The tolerance is in microseconds.

    `user` is set only if a task with `match: user` reads the stream. With `spans`, `path` has placeholders.
    """

    name: str
    path: str
    spans: Spans | None = None
    format: Literal["parquet", "csv", "jsonl"] | None = None
    csv: CsvPlan = CsvPlan()
    where: dict[str, tuple[Scalar, ...]] = pydantic.Field(default={})
    key: tuple[str, ...] = ()
    user: tuple[str, ...] = ()
    time: TimePlan | None = None
    event_id: str | None = None
    value: str | None = None
    weight: str | None = None
    clock_tolerance: int = 0
    nulls: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """The globs of the files to read."""
        return paths_of(self.path, self.spans)


class TaskPlan(StagePlan):
    """A task: from an outcome stream and a window in microseconds, or from a label column of the examples.

    `weight` is the column with the task's own weights. `domain` is set only if the loss restricts the labels. Other changes of
    the loss do not read the logs again.
    """

    name: str
    kind: Literal["binary", "regression"]
    stream: str | None = None
    window: int = 0
    match: Literal["key", "user"] = "key"
    conditioned_on: str | None = None
    aggregate: Literal["sum", "max"] = "sum"
    label: str | None = None
    positive: tuple[Scalar, ...] = ()
    above: float | None = None
    weight: str | None = None
    domain: DomainPlan | None = None
    unmeasured: Literal["refuse", "allow"] = "refuse"

    @property
    def reads_numbers(self) -> bool:
        """Whether the label is made of numbers, not of the fact that there is an outcome."""
        return self.kind == "regression" or self.above is not None


class EventLogsPlan(StagePlan):
    """The whole plan.

    `as_of` is in microseconds since 1970 UTC; None means the smallest watermark (`outcomes`). `impressions` is the stream that
    becomes the examples; None for labelled examples, where every stream does. `cursor`: what the ancestor has learned from;
    `left_out`: the days or hours that no training reads (`models.recipe.night.Night`).
    """

    data: str
    impressions: str | None
    streams: tuple[StreamPlan, ...]
    columns: tuple[ColumnPlan, ...]
    tasks: tuple[TaskPlan, ...]
    as_of: int | None
    max_dead_letters: float
    max_orphans: float
    on_missing_days: Literal["stop", "warn"] = "stop"
    least_of_day: float = 0.2
    least_of_median: float = 0.0
    split: SplitPlan
    partitions: int | None
    cursor: Cursor | None = None
    left_out: tuple[str, ...] = ()

    @property
    def labelled(self) -> bool:
        """Whether the input is labelled examples."""
        return self.impressions is None

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcome streams that tasks use. The end of these and of the impressions determines `as_of: latest`."""
        used = {task.stream for task in self.tasks} - {self.impressions}
        return tuple(stream.name for stream in self.streams if stream.name in used)

    @property
    def begin(self) -> int | None:
        """The start of the first span that is read, microseconds; None without spans."""
        first = next((stream.spans.first for stream in self.streams if stream.spans), None)
        return None if first is None else micros(start_of(first) - EPOCH)

    @property
    def reads_left_out(self) -> bool:
        """Whether a day that is left out is among those that are read: what is normal beside it cannot be told."""
        return any(start_of(day) >= EPOCH + datetime.timedelta(microseconds=self.begin or 0) for day in self.left_out)

    @property
    def span(self) -> int | None:
        """Number of the span of the run's day, as TFX counts: days, or hours, since 1970 UTC. None without spans."""
        spans = next((stream.spans for stream in self.streams if stream.spans), None)
        return None if spans is None else (start_of(spans.day) - EPOCH) // datetime.timedelta(hours=spans.hours)

    @property
    def label_tasks(self) -> tuple[TaskPlan, ...]:
        """The tasks whose label is a column of the rows that become examples."""
        return tuple(task for task in self.tasks if task.label)

    @property
    def user_tasks(self) -> tuple[TaskPlan, ...]:
        """The tasks whose outcomes are joined by user, not by key."""
        return tuple(task for task in self.tasks if task.match == "user")

    def only_by_user(self, stream: StreamPlan) -> bool:
        """Whether all tasks of the outcome stream have `match: user`."""
        return bool(stream.user) and all(task.match == "user" for task in self.tasks if task.stream == stream.name)

    @property
    def weight(self) -> str | None:
        """Column with the weight of an example, if there is one."""
        return next((stream.weight for stream in self.streams if stream.weight), None)

    @property
    def tolerances(self) -> dict[str, int]:
        """{stream: how long before its impression an outcome may be logged}."""
        return {stream.name: stream.clock_tolerance for stream in self.streams}

    def stream(self, name: str) -> StreamPlan:
        """The stream of that name."""
        return next(stream for stream in self.streams if stream.name == name)

    def published(self, split: str) -> bool:
        """Whether the split is a file set of its own (`FILES_OF`)."""
        return any(stream.name == FILES_OF[split] for stream in self.streams) if self.labelled else False

    def makes_examples(self, stream: StreamPlan) -> bool:
        """Whether the stream's rows become examples, so the feature columns are read from them."""
        return self.labelled or stream.name == self.impressions

    @classmethod
    def from_recipe(cls, recipe: Recipe, night: Night | None = None) -> EventLogsPlan:
        """The plan of a recipe. This process must be able to open the recipe's `data`."""
        common: dict[str, object] = {
            "data": recipe.data,
            "columns": _columns(recipe),
            "split": SplitPlan.of(recipe.split),
            "cursor": night.cursor if night else None,
            "left_out": night.left_out if night else recipe.logs.left_out if recipe.logs else (),
        }
        common["partitions"] = recipe.beam.partitions
        source = recipe.logs if recipe.logs is not None else recipe.examples
        if source is None:
            raise ValueError("a recipe has logs or examples")
        parts = _of_logs(recipe, source, night) if isinstance(source, Logs) else _of_examples(recipe, source)
        limits = {
            "max_dead_letters": source.limits.dead_letters,
            "max_orphans": source.limits.orphans,
            "on_missing_days": source.limits.missing_days,
            "least_of_day": source.limits.least_of_day,
            "least_of_median": source.limits.least_of_median,
        }
        return cls.model_validate(common | parts | limits)


def _of_logs(recipe: Recipe, logs: Logs, night: Night | None) -> dict[str, object]:
    valued = {task.outcome for task in recipe.tasks.values() if reads_numbers(task)}
    followed = {task.outcome for task in recipe.tasks.values() if task.match == "user"}
    followed |= {logs.impressions} if followed else set()
    streams = [
        StreamPlan(
            name=name,
            path=stream.path,
            spans=spans_of(recipe, name, night),
            format=stream.format,
            csv=_csv(stream.csv),
            where=dict(stream.where),
            key=stream.key,
            user=stream.user if name in followed else (),
            time=_time(stream.time),
            event_id=stream.event_id,
            value=stream.value if name in valued else None,
            weight=stream.weight,
            clock_tolerance=micros(stream.clock_tolerance) if stream.clock_tolerance else 0,
            nulls=stream.nulls,
        )
        for name, stream in logs.streams.items()
    ]
    moment = as_of_micros(as_of(recipe) if logs.span else logs.as_of)
    made: dict[str, object] = {
        "impressions": logs.impressions,
        "streams": tuple(streams),
        "tasks": _tasks(recipe),
        "as_of": moment,
    }
    if logs.span:  # `eval_last` counts back from the end of the day, which is not always `as_of`
        begin = micros(eval_start(recipe) - EPOCH)
        made["split"] = SplitPlan.of(recipe.split).model_copy(update={"eval_last": None, "eval_from": begin})
    return made


def as_of_micros(as_of: datetime.datetime | Literal["latest"]) -> int | None:
    """A recipe's `as_of` in microseconds; None for `latest`."""
    return micros(as_of - EPOCH) if isinstance(as_of, datetime.datetime) else None


def _of_examples(recipe: Recipe, examples: LabelledExamples) -> dict[str, object]:
    paths = {"examples": examples.path, FILES_OF[VALIDATE]: examples.validate_path, FILES_OF[EVAL]: examples.eval_path}
    time = _time(examples.time) if examples.time else None
    streams = [
        StreamPlan(
            name=name,
            path=path,
            format=examples.format,
            csv=_csv(examples.csv),
            time=time,
            weight=examples.weight,
            nulls=examples.nulls,
        )
        for name, path in paths.items()
        if path
    ]
    return {"impressions": None, "streams": tuple(streams), "tasks": _tasks(recipe), "as_of": None}


def _tasks(recipe: Recipe) -> tuple[TaskPlan, ...]:
    return tuple(
        TaskPlan(
            name=name,
            kind=task.kind,
            stream=task.outcome,
            window=micros(task.window or datetime.timedelta()),
            match=task.match,
            conditioned_on=task.conditioned_on,
            unmeasured=unmeasured_of(task),
            aggregate=task.aggregate,
            label=task.label.column if task.label else None,
            positive=task.label.positive if task.label else (),
            above=task.above,
            weight=task.weight_column,
            domain=domain_of(task),
        )
        for name, task in recipe.tasks.items()
    )


def _columns(recipe: Recipe) -> tuple[ColumnPlan, ...]:
    columns, types = {}, column_types(recipe.features)
    for name, feature in feature_columns(recipe.features).items():
        separator, length = getattr(feature, "separator", None), feature.dim if isinstance(feature, Vector) else None
        columns[name] = ColumnPlan(
            name=name, type=types[name], multivalued=has_list(feature), separator=separator, length=length
        )
    slices = [column for entry in recipe.evaluation.slices for column in entry]
    group = [recipe.evaluation.group_key] if recipe.evaluation.group_key else []
    for name in slices + group:
        columns.setdefault(name, ColumnPlan(name=name, type="bytes"))
    for name in (recipe.retrieval.user, recipe.retrieval.item) if recipe.retrieval else ():
        columns.setdefault(name, ColumnPlan(name=name, type=column_type(recipe, name)))
    return tuple(columns.values())


def _csv(csv: Csv) -> CsvPlan:
    return CsvPlan.model_validate(csv.model_dump())


def _time(time: Time) -> TimePlan:
    return TimePlan(column=time.column, unit=time.unit, zone=time.zone, format=time.format)
