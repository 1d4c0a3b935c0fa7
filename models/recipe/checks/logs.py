"""Checks of the sections `logs`, `examples` and `split`."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator, Sequence

from models.recipe.checks.problem import Problem
from models.recipe.logs import Stream, Time
from models.recipe.recipe import Recipe
from models.recipe.registry import known

_EVAL_KEYS = ("eval_fraction", "eval_last", "eval_from")
_VALIDATE_KEYS = ("validate_fraction", "validate_last", "validate_from")


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
    keyed = {logs.impressions} | {task.outcome for task in recipe.tasks.values() if task.match == "key"}
    expected = logs.streams[logs.impressions].key
    for name, stream in logs.streams.items():
        if name not in used:
            yield (*at, name), "no task uses this stream as its outcome. Remove the stream, or add a task."
        if len(stream.key) != len(expected) and name in keyed:
            yield (
                (*at, name, "key"),
                f"has {len(stream.key)} columns, the impressions' key has {len(expected)} ({', '.join(expected)}). "
                "Keys are compared column by column.",
            )
        if stream.weight is not None and name != logs.impressions:
            yield (
                (*at, name, "weight"),
                f"a weight belongs to an example, and the examples are the impressions. Set 'weight' in the stream "
                f"{logs.impressions!r}, or remove it.",
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
    examples, at = recipe.examples, ("split",)
    by_eval, by_validate = _given(recipe, _EVAL_KEYS), _given(recipe, _VALIDATE_KEYS)
    if examples is not None and examples.eval_path is not None:
        if by_eval:
            yield (*at, by_eval[0]), "examples.eval_path already sets the eval split; remove one of the two."
        if "validate_last" in by_validate:
            yield (
                (*at, "validate_last"),
                "counts back from the start of the eval split, which examples.eval_path does not tell; use "
                "validate_fraction or validate_from.",
            )
    elif len(by_eval) != 1:
        yield at, f"expected one of {', '.join(_EVAL_KEYS)}; received {' and '.join(by_eval) or 'none'}."
    if examples is not None and examples.validate_path is not None and by_validate:
        yield (*at, by_validate[0]), "examples.validate_path already sets the validate split; remove one of the two."
    elif len(by_validate) > 1:
        yield at, f"expected at most one of {', '.join(_VALIDATE_KEYS)}; received {' and '.join(by_validate)}."
    if examples is not None and examples.time is None:
        for key in _given(recipe, (*_EVAL_KEYS[1:], *_VALIDATE_KEYS[1:], "gap")):
            instead = "or remove it" if key == "gap" else f"or use {key.partition('_')[0]}_fraction"
            yield (*at, key), f"the examples have no time column; set examples.time, {instead}."
    yield from _order_problems(recipe)


def _order_problems(recipe: Recipe) -> Iterator[Problem]:
    """The keys of `split` that leave a split without examples, whatever the logs are."""
    split, at = recipe.split, ("split",)
    as_of = recipe.logs.as_of if recipe.logs and recipe.logs.as_of != "latest" else None
    if as_of and split.eval_from and split.eval_from >= as_of:
        yield (
            (*at, "eval_from"),
            f"is not before logs.as_of ({as_of.isoformat()}): the eval split would be empty.",
        )
    start = split.eval_from or (as_of - split.eval_last if as_of and split.eval_last else None)
    if start and split.validate_from and split.validate_from >= start:
        yield (
            (*at, "validate_from"),
            f"expected a moment before the start of the eval split ({start.isoformat()}), received "
            f"{split.validate_from.isoformat()}: the validate split would be empty.",
        )
    if split.gap and split.validate_last and split.gap >= split.validate_last:
        yield (
            (*at, "gap"),
            "expected less than validate_last, because it is left out of the validate split, too, which would be empty.",
        )


def _given(recipe: Recipe, keys: Sequence[str]) -> list[str]:
    return [key for key in keys if getattr(recipe.split, key) is not None]
