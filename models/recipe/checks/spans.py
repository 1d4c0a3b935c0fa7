"""Checks of the spans: the placeholders of the paths, and the keys of `logs` and `split` that choose the spans."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from models.recipe.checks.problem import Problem
from models.recipe.logs import Logs
from models.recipe.recipe import Recipe
from models.recipe.registry import known
from models.recipe.spans import HOURS, LATEST, NEEDED, PLACEHOLDERS, placeholders
from models.recipe.split import Split
from models.recipe.units import format_duration

MOST = 10_000
"""Largest number of spans that a run reads."""


def span_problems(recipe: Recipe) -> Iterator[Problem]:
    for key in ("path", "eval_path", "validate_path") if recipe.examples else ():
        if set(placeholders(getattr(recipe.examples, key) or "")) & PLACEHOLDERS.keys():
            yield ("examples", key), "placeholders are for the streams of 'logs'. Write a glob, or the day itself."
    logs, split = recipe.logs, recipe.split
    if logs is None or logs.span is None:
        if split.train_last is not None:
            yield (
                ("split", "train_last"),
                "chooses the spans to read and needs `logs.span`. Set `span: 1d`, or remove it.",
            )
        source, section = logs or recipe.examples, "logs" if logs else "examples"
        if source and source.limits.least_of_median:
            yield (
                (section, "limits", "least_of_median"),
                "compares the spans of a run and needs `logs.span`. Remove it.",
            )
    if logs is None:
        return
    truth = recipe.evaluation.truth
    if truth is not None and placeholders(truth.path):
        yield from _path(("evaluation", "truth"), truth.path, logs.span)
    for name, stream in logs.streams.items():
        yield from _path(("logs", "streams", name), stream.path, logs.span)
        if stream.may_be_empty and logs.span is None:
            yield (
                ("logs", "streams", name, "may_be_empty"),
                "allows a span without files and needs `logs.span`. Remove it.",
            )
        elif stream.may_be_empty and name == logs.impressions:
            yield (
                ("logs", "streams", name, "may_be_empty"),
                "the impressions are the examples: a day without them can neither train nor evaluate. Remove the key.",
            )
    if logs.span is None:
        if logs.day != LATEST:
            yield ("logs", "day"), "chooses the spans to read and needs `logs.span`. Set `span: 1d`, or remove it."
        return
    if logs.day != LATEST and ("T" in logs.day) != (logs.span == "1h"):
        wanted = "an hour, such as 2026-11-28T05" if logs.span == "1h" else "a day, such as 2026-11-28"
        yield ("logs", "day"), f"`span: {logs.span}` needs {wanted}; received {logs.day}."
    yield from _lengths(split, HOURS[logs.span])
    yield from _as_of(recipe, logs)


def _path(at: tuple[str, ...], path: str, span: str | None) -> Iterator[Problem]:
    there = placeholders(path)
    unknown = [name for name in there if name not in PLACEHOLDERS]
    if unknown:
        yield (
            (*at, "path"),
            f"unknown placeholder {{{unknown[0]}}}; {known(unknown[0].upper(), PLACEHOLDERS)} Write [{{] for a brace in a name.",
        )
    elif span is None:
        if there:
            yield (
                (*at, "path"),
                f"{{{there[0]}}} stands for a part of a date and needs `logs.span`. Set `span: 1d` for days or `span: 1h` for hours.",
            )
    elif missing := [f"{{{name}}}" for name in NEEDED[HOURS[span]] if name not in there]:
        received = " and ".join(f"{{{name}}}" for name in dict.fromkeys(there)) or "none"
        yield (
            (*at, "path"),
            f"`span: {span}` needs {' and '.join(missing)} in the path, so that it names one "
            f"{'day' if span == '1d' else 'hour'}; received {received}.",
        )
    elif span == "1d" and "HH" in there:
        yield (*at, "path"), "{HH} with `span: 1d`: write * in its place to read all hours of a day, or set `span: 1h`."


def _lengths(split: Split, hours: int) -> Iterator[Problem]:
    span = datetime.timedelta(hours=hours)
    unit = format_duration(span)
    for key in ("eval_fraction", "eval_from"):
        if getattr(split, key) is not None:
            yield (
                ("split", key),
                f"with `logs.span`, the eval split is the newest whole spans. Use eval_last, such as {unit}.",
            )
    if split.validate_from is not None:
        yield (
            ("split", "validate_from"),
            "with `logs.span`, the splits move with the day. Use validate_last or validate_fraction.",
        )
    if split.train_last is None:
        yield (
            ("split",),
            "with `logs.span`, train_last is missing: the time before the eval split to read. Example: 28d.",
        )
    for key in ("eval_last", "train_last"):
        length = getattr(split, key)
        if length is not None and length % span:
            yield ("split", key), f"expected a multiple of `logs.span`, {unit}; received {format_duration(length)}."
    total = (split.eval_last or span) + (split.train_last or span)
    if total // span > MOST:
        yield (
            ("split",),
            f"expected at most {MOST:,} spans in eval_last and train_last together; received {total // span:,}.",
        )
    for key in ("validate_last", "gap"):
        length = getattr(split, key)
        if length is not None and split.train_last is not None and length >= split.train_last:
            yield (
                ("split", key),
                f"expected less than train_last, {format_duration(split.train_last)}: the train split would be empty.",
            )


def _as_of(recipe: Recipe, logs: Logs) -> Iterator[Problem]:
    if logs.as_of == LATEST:
        return
    for name, task in recipe.tasks.items():
        if task.outcome == logs.impressions:
            yield (
                ("logs", "as_of"),
                f"with `logs.span`, impressions after the day are not read, but they are the outcomes of the task {name!r}. Remove "
                "'as_of': it is then the end of the day.",
            )
