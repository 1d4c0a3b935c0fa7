"""Checks of the sections `logs`, `examples` and `split`."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator

from models.recipe.checks.problem import Problem
from models.recipe.logs import Stream, Time
from models.recipe.recipe import Recipe
from models.recipe.registry import known


def stream_problems(recipe: Recipe) -> Iterator[Problem]:
    if recipe.examples and recipe.examples.time:
        yield from _time(("examples", "time"), recipe.examples.time)
    if recipe.logs is None:
        return
    logs, at = recipe.logs, ("logs", "streams")
    if logs.impressions not in logs.streams:
        yield (
            ("logs", "impressions"),
            f"no stream is called {logs.impressions!r}; {known(logs.impressions, logs.streams)}",
        )
        return
    used = {logs.impressions} | {task.outcome for task in recipe.tasks.values()}
    expected = logs.streams[logs.impressions].key
    for name, stream in logs.streams.items():
        if name not in used:
            yield (*at, name), "no task uses this stream as its outcome. Remove the stream, or add a task."
        if len(stream.key) != len(expected):
            yield (
                (*at, name, "key"),
                f"has {len(stream.key)} columns, the impressions' key has {len(expected)} ({', '.join(expected)}). "
                "Keys are compared column by column.",
            )
        yield from _time((*at, name, "time"), stream.time)
        yield from _same_rows(name, stream, recipe)


def _same_rows(name: str, stream: Stream, recipe: Recipe) -> Iterator[Problem]:
    """Refuses two streams over the same rows, which would count each event twice."""
    streams = recipe.logs.streams if recipe.logs else {}
    for other_name, other in streams.items():
        if other_name < name and (other.path, other.where) == (stream.path, stream.where):
            yield (
                ("logs", "streams", name),
                f"reads the same rows as the stream {other_name!r}. Separate them with 'where', or use one stream for both.",
            )


def _time(location: tuple[str | int, ...], time: Time) -> Iterator[Problem]:
    zone = time.zone
    if time.format is not None and time.unit != "text":
        yield (
            (*location, "format"),
            f"a format applies to text, but `unit: {time.unit}` declares a column of numbers. Write `unit: text`, or "
            "remove 'format'.",
        )
    if time.format is not None and "%" not in time.format:
        yield (
            (*location, "format"),
            f"expected strptime codes, such as '%d.%m.%Y %H:%M:%S', received {time.format!r}.",
        )
    if zone is not None and zone not in zoneinfo.available_timezones():
        yield (
            (*location, "zone"),
            f"unknown time zone {zone!r}; expected an IANA name such as 'Europe/Vienna' or 'UTC'.",
        )


def split_problems(recipe: Recipe) -> Iterator[Problem]:
    split, at = recipe.split, ("split",)
    given = [key for key in ("eval_fraction", "eval_last", "eval_from") if getattr(split, key) is not None]
    if recipe.examples is not None and recipe.examples.eval_path is not None:
        if given:
            yield (*at, given[0]), "examples.eval_path already sets the eval split; remove one of the two."
    elif len(given) != 1:
        yield at, f"expected one of eval_fraction, eval_last, eval_from; received {' and '.join(given) or 'none'}."
    elif recipe.examples is not None and recipe.examples.time is None and given != ["eval_fraction"]:
        yield (*at, given[0]), "the examples have no time column; set examples.time, or use eval_fraction."
    if recipe.logs and split.eval_from and recipe.logs.as_of != "latest" and split.eval_from >= recipe.logs.as_of:
        yield (
            (*at, "eval_from"),
            f"is not before logs.as_of ({recipe.logs.as_of.isoformat()}): the eval split would be empty.",
        )
