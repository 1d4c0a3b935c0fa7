"""Nights: what each night has pushed or refused, and from which one the next night goes on.

    states/NAME/VERSION/night.json   the record of a night
    states/NAME/VERSION/state/       the state of its model (`models.training.state`), if it was pushed

A folder appears whole, by a rename. The state appears before the model's version, so that a version that servers see has one.
"""

from __future__ import annotations

import datetime
import os
import shutil
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

import pydantic

from components.push.withdrawn import read_notes, withdrawn_folder
from models.files.version_folders import version_folders, version_number
from models.recipe.errors import InputError
from models.recipe.night import Cursor, Night
from models.recipe.recipe import Recipe
from models.recipe.section import Section
from models.recipe.spans import EPOCH, eval_spans, start_of, text_of
from models.recipe.stage_plan import StagePlan

RECORD, STATE = "night.json", "state"
_UNFINISHED = ".unfinished"


class NightPlan(StagePlan):
    """What a stage needs to record a night: the night, and the days or hours of its eval split."""

    night: Night
    eval_days: tuple[str, ...]


class Record(Section):
    """The record of a night.

    Attributes:
        version: version of its model, or of the model that was refused; of a run that Validation stopped, the second of its statistics.
        day: the day of the run.
        start, ancestor, cold_day: of `models.recipe.night.Night`.
        cursor: what its model has learned from.
        learned_days: days or hours that it has learned from and its ancestor has not.
        pushed: whether the model was pushed.
        reasons: why it was not, in words.
        left_out: days or hours that no later training reads because of it.
        metrics: {task: {metric: value}} of the night's model on the eval split, from which no model has learned.
        baseline: the same of the model that it was compared with; {} if there was none.
    """

    version: int
    day: str
    start: str
    ancestor: int | None = None
    cold_day: str
    cursor: Cursor
    learned_days: tuple[str, ...] = ()
    pushed: bool
    reasons: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    metrics: Mapping[str, Mapping[str, float | None]] = pydantic.Field(default={})
    baseline: Mapping[str, Mapping[str, float | None]] = pydantic.Field(default={})


def record_of(night: Night, cursor: Cursor, version: int, *, pushed: bool, **about: object) -> Record:
    """The record of a night whose model, or whose stopped run, has the number `version`. `about`: other fields of the record."""
    return Record.model_validate(
        {
            "version": version,
            "day": night.day,
            "start": night.start,
            "ancestor": night.ancestor,
            "cold_day": night.cold_day,
            "cursor": cursor,
            "learned_days": learned_days(night, cursor),
            "pushed": pushed,
            **about,
        }
    )


def read_records(states: Path) -> dict[int, Record]:
    """{version: record} of all nights, ascending.

    Raises:
        InputError: a record cannot be read.
    """
    found = {}
    for folder in sorted(states.glob("*"), key=lambda path: (len(path.name), path.name)):
        number = version_number(folder.name)
        if number is not None and (folder / RECORD).is_file():
            found[number] = _read(folder / RECORD)
    return found


def write_record(states: Path, record: Record, state: Path | None) -> None:
    """Writes the folder of a night; nothing if it is there with the same record.

    Args:
        states: folder of the nights.
        record: the record.
        state: folder of the state of a pushed model, which is copied.
    """
    target = states / str(record.version)
    if (
        (target / RECORD).is_file()
        and _read(target / RECORD) == record
        and (target / STATE).is_dir() == (state is not None)
    ):
        return
    states.mkdir(parents=True, exist_ok=True)
    for litter in states.glob(f"*{_UNFINISHED}"):
        shutil.rmtree(litter, ignore_errors=True)
    unfinished = states / f".{record.version}.{uuid.uuid4().hex}{_UNFINISHED}"
    unfinished.mkdir()
    if state is not None:
        shutil.copytree(state, unfinished / STATE)
    (unfinished / RECORD).write_text(record.model_dump_json(indent=1) + "\n", encoding="utf-8")
    if target.exists():
        os.rename(target, states / f".{record.version}.{uuid.uuid4().hex}{_UNFINISHED}")
    os.rename(unfinished, target)


def free_version(states: Path, version: int, day: str) -> int:
    """The smallest number from `version` on for the record of a refusal: that of no other day, and of no pushed model."""
    others = read_records(states)
    while version in others and (others[version].pushed or others[version].day != day):
        version += 1
    return version


def kept_versions(served: Path) -> tuple[int, ...]:
    """The versions whose states stay: those that servers see, and the withdrawn ones that a rollback can restore."""
    return tuple(sorted({*version_folders(served), *version_folders(withdrawn_folder(served))}))


def remove_states(states: Path, kept: Sequence[int]) -> list[int]:
    """Removes the states of pushed nights whose versions are not kept. Records stay: the rules of later nights read them.

    Returns:
        The versions whose states were removed.
    """
    gone = []
    for version, record in read_records(states).items():
        state = states / str(version) / STATE
        if record.pushed and version not in kept and state.is_dir():
            hidden = states / f".{version}.{uuid.uuid4().hex}{_UNFINISHED}"
            os.rename(state, hidden)
            shutil.rmtree(hidden, ignore_errors=True)
            gone.append(version)
    return gone


def night_of(recipe: Recipe, served: Path, states: Path) -> Night | None:
    """What a run goes on from; None unless the recipe has `training.start: warm`.

    The ancestor is the newest pushed night of an earlier day, by (day, version), whose state is there and which descends from no
    withdrawn version. Without one, or `warm.cold_every` after the last cold start, the night starts cold. The days that
    refused nights of earlier days leave out, unless a later run of the same day was pushed, and those of `logs.left_out`, are learned by no
    model, except those of `logs.taken_in`.

    Args:
        recipe: a recipe on its day.
        served: folder of the versions of its model.
        states: folder of its nights.

    Raises:
        InputError: a record or a note of a withdrawn version cannot be read.
    """
    logs, warm = recipe.logs, recipe.training.warm
    if recipe.training.start != "warm" or logs is None or logs.span is None:
        return None
    earlier = {
        version: record
        for version, record in read_records(states).items()
        if len(record.day) == len(logs.day) and start_of(record.day) < start_of(logs.day)
    }
    withdrawn = set(read_notes(served))
    left_out = {day for record in _refused(earlier) for day in record.left_out} | set(logs.left_out)
    held = tuple(sorted(left_out - set(logs.taken_in)))
    able = [
        record
        for version, record in earlier.items()
        if record.pushed and (states / str(version) / STATE).is_dir() and not withdrawn & set(_chain(version, earlier))
    ]
    ancestor = max(able, key=lambda record: (start_of(record.day), record.version), default=None)
    if ancestor is None:
        return Night(day=logs.day, cold_day=logs.day, left_out=held)
    if warm.cold_every and start_of(logs.day) - start_of(ancestor.cold_day) >= warm.cold_every:
        return Night(day=logs.day, cold_day=logs.day, left_out=held, learned_until=ancestor.cursor.until)
    return Night(
        day=logs.day,
        start="warm",
        ancestor=ancestor.version,
        state=str(states / str(ancestor.version) / STATE),
        cursor=ancestor.cursor,
        cold_day=ancestor.cold_day,
        left_out=held,
        learned_until=ancestor.cursor.until,
    )


def in_words(night: Night, records: Mapping[int, Record]) -> str:
    """The night in a line, for the user."""
    text = f"{night.day}, starts cold"
    if night.ancestor is not None:
        text = f"{night.day}, goes on from version {night.ancestor} of {records[night.ancestor].day}"
    return text + (f"; left out: {', '.join(night.left_out)}" if night.left_out else "")


def learned_days(night: Night, cursor: Cursor) -> tuple[str, ...]:
    """The days or hours before `cursor.until` that no pushed model of an earlier night has learned from; () for the first night."""
    if night.learned_until is None:
        return ()
    return tuple(day for day in _days(night, night.learned_until, cursor.until) if day not in night.left_out)


def validate_days(plan: NightPlan, cursor: Cursor) -> tuple[str, ...]:
    """The days or hours of the validate split: from `cursor.until` to the eval split."""
    end = start_of(plan.eval_days[0]) - EPOCH
    return tuple(_days(plan.night, cursor.until, end // datetime.timedelta(microseconds=1)))


def _days(night: Night, first: int, end: int) -> list[str]:
    """The days or hours, as the night counts, with a moment in [first, end), both in microseconds."""
    hours = 1 if "T" in night.day else 24
    span = datetime.timedelta(hours=hours)
    start, last = (EPOCH + datetime.timedelta(microseconds=at) for at in (first, end))
    start, found = EPOCH + (start - EPOCH) // span * span, []
    while start < last:
        found.append(text_of(start, hours))
        start += span
    return found


def eval_days(recipe: Recipe) -> tuple[str, ...]:
    """The days or hours of the eval split of a recipe on its day."""
    spans = eval_spans(recipe)
    return () if spans is None else tuple(text_of(start, spans.hours) for start in spans.starts())


def newer_day(states: Path, served: Path, day: str) -> Record | None:
    """The pushed and not withdrawn night of the newest day, if that is after `day`."""
    withdrawn = read_notes(served)
    live = [
        record
        for version, record in read_records(states).items()
        if record.pushed
        and version not in withdrawn
        and len(record.day) == len(day)
        and start_of(record.day) > start_of(day)
    ]
    return max(live, key=lambda record: (start_of(record.day), record.version), default=None)


def _refused(records: Mapping[int, Record]) -> list[Record]:
    """The refused nights, without those of which a later run of the same day was pushed."""
    newest: dict[str, int] = {}
    for version, record in records.items():
        if record.pushed:
            newest[record.day] = max(version, newest.get(record.day, 0))
    return [record for version, record in records.items() if not record.pushed and version > newest.get(record.day, 0)]


def _chain(version: int, records: Mapping[int, Record]) -> list[int]:
    """A version and all that it descends from, as far as there are records."""
    found: list[int] = []
    ancestor: int | None = version
    while ancestor is not None and ancestor not in found:
        found.append(ancestor)
        ancestor = records[ancestor].ancestor if ancestor in records else None
    return found


def _read(file: Path) -> Record:
    try:
        return Record.model_validate_json(file.read_bytes())
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror}).") from None
    except pydantic.ValidationError as error:
        raise InputError(
            f"{file}: is not the record of a night ({error.error_count()} errors). Restore the file, or remove its folder: the next night "
            "then goes on from an earlier one."
        ) from None
