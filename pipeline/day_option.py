"""The option `--day`: which spans of the logs a run reads. Imports neither TensorFlow nor TFX."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from models.recipe.errors import InputError
from models.recipe.file import load_recipe
from models.recipe.recipe import Recipe
from models.recipe.spans import LATEST, parse_day, spans_of
from models.recipe.units import format_duration


def _checked(day: str | None) -> str | None:
    try:
        return None if day is None else parse_day(day)
    except ValueError as error:
        raise typer.BadParameter(f"{error}; received {day!r}.") from None


DayOption = Annotated[
    str | None,
    typer.Option(
        "--day",
        metavar="DAY",
        callback=_checked,
        help="Newest day to read, in UTC, such as 2026-11-28 or, with span: 1h, 2026-11-28T05; overrides logs.day.",
    ),
]


def load_on_day(
    file: Path, overrides: Sequence[str], data: str | None, day: str | None, *, look_up: bool = True
) -> tuple[Recipe, list[str]]:
    """The recipe on its day, and the overrides that give it.

    Args:
        file, overrides, data: see `load_recipe`.
        day: the day; None: that of the recipe.
        look_up: replaces `latest` by the newest day that is complete (`newest_day`).

    Raises:
        InputError: the recipe has errors, no day is complete, or a day is given and the recipe has no `logs.span`.
    """
    recipe, chosen = load_recipe(file, overrides, data), list(overrides)
    if recipe.logs is None or recipe.logs.span is None:
        if day is not None:
            raise InputError(f"--day {day}: {file} has no `logs.span`, so a run reads all files. Leave the option out.")
        return recipe, chosen
    if day is None and recipe.logs.day == LATEST and look_up:
        from components.event_logs.spans import newest_day

        day = newest_day(recipe, datetime.datetime.now(datetime.UTC))
    if day is not None:
        chosen.append(f"logs.day={day}")
        recipe = load_recipe(file, chosen, data)
    return recipe, chosen


def night_told(recipe: Recipe, served: Path, states: Path) -> str:
    """What a run with `training.start: warm` goes on from, in words; "" for another run.

    Args:
        recipe: the recipe on its day.
        served: folder of the versions of its model.
        states: folder of its nights.
    """
    if recipe.training.start != "warm":
        return ""
    from components.push.nights import in_words, night_of, read_records

    night = night_of(recipe, served, states)
    return "" if night is None else in_words(night, read_records(states))


def days_told(recipe: Recipe) -> str:
    """The days that a run reads, in words; "" without `logs.span`.

    Raises:
        InputError: `logs.as_of` is before the end of the day.
    """
    logs, split = recipe.logs, recipe.split
    if logs is None or logs.span is None or split.eval_last is None or split.train_last is None:
        return ""
    lengths = f"{format_duration(split.train_last)} to train, then {format_duration(split.eval_last)} to evaluate"
    if logs.day == LATEST:
        return f"{lengths}, up to the newest complete {'day' if logs.span == '1d' else 'hour'} (choose one with --day)"
    spans = {name: spans_of(recipe, name) for name in logs.streams}
    first = spans[logs.impressions]
    later = [f"{name} to {one.until}" for name, one in spans.items() if one and one.until > logs.day]
    also = f"; {', '.join(later)} if there" if later else ""
    return f"{first.first if first else ''} to {logs.day}: {lengths}{also}"
