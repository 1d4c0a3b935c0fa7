"""Checks of the streams' times: clocks that run ahead, missing days, the end of the complete logs, and warnings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from components.event_logs.accounts import moment, watermarks
from components.event_logs.attribution import LEADS
from components.event_logs.days import LEAST_EXPECTED, Missing, missing, text
from components.event_logs.plan import EventLogsPlan, StreamPlan
from components.event_logs.tally import Tally
from components.event_logs.timeline import HOUR, ahead
from models.recipe.errors import InputError

BEHIND = 24 * HOUR
"""A stream whose watermark is this far before that of the impressions gets a warning; half of it if at least 15 outcomes were
expected in between."""
_TRICKLE = 5
_SHOWN = 10
"""Maximum number of other days that a message names."""
_SOON, _LONG = ("orphan_before_1m", 0.01), ("orphan_before", 0.1)
"""(outcomes shortly before an impression of their key, the share of a stream's outcomes above which they cause a warning)."""


def complete(plan: EventLogsPlan) -> tuple[str, ...]:
    """The streams whose watermarks count: those that make examples, and the outcomes that tasks use."""
    makers = tuple(stream.name for stream in plan.streams if plan.makes_examples(stream))
    return makers + tuple(name for name in plan.outcomes if name not in makers)


def slowest(plan: EventLogsPlan, watermarks: Mapping[str, int | None]) -> tuple[str, int] | None:
    """(stream, its watermark) of the stream that ends first, by time and name; None without events.

    A stream's watermark is the time of its latest event. Later events are unknown. Labelled examples wait for no outcome,
    so for them it is the stream that ends last.
    """
    found = [(at, name) for name in complete(plan) if (at := watermarks.get(name)) is not None]
    if not found:
        return None
    at, name = max(found) if plan.labelled else min(found)
    return name, at


def as_of_latest(every: Iterable[Mapping[str, int | None]], plan: EventLogsPlan) -> int:
    """The time of `as_of: latest`, from the watermarks of all pieces; 0 without events."""
    latest: dict[str, int] = {}
    for found in every:
        for name, at in found.items():
            if at is not None:
                latest[name] = max(at, latest.get(name, at))
    end = slowest(plan, latest)
    return end[1] if end else 0


def check_clocks(plan: EventLogsPlan, tally: Tally) -> None:
    """Refuses a row far after the other rows of its stream, if `as_of` is found from the rows.

    Raises:
        InputError: names the stream, the file, the row, its time, how far it is ahead, and what to do.
    """
    if plan.as_of is not None or (plan.labelled and plan.split.eval_last is None):
        return
    names = [name for name in complete(plan) if plan.stream(name).time is not None]
    timelines = {name: tally.timeline(name) for name in names}
    for name in names:
        found = ahead(name, timelines)
        if found is None:
            continue
        rows, hours = found
        at, file, row = timelines[name].latest[0]
        many = "" if rows == 1 else f" The last {rows} rows of the stream are like that; this is the latest."
        cure = "Remove the row, or set logs.as_of to the time up to which the logs are complete: later rows are counted apart."
        if plan.labelled:
            cure = "Remove the row: `split.eval_last` counts back from the latest time."
        raise InputError(
            f"stream {name!r}: {file}, row {row}: its time is {moment(at)}, {_duration(hours)} after the previous row of the "
            f"stream.{many} Its clock is ahead. {cure}"
        )


def check_days(plan: EventLogsPlan, tally: Tally, as_of: int | None) -> list[str]:
    """Refuses logs in which a day of a stream is missing, or returns a warning for each.

    Raises:
        InputError: names the stream, the day, its rows, what was expected, the days around it, and what to do.
    """
    if plan.labelled or plan.impressions is None or as_of is None:
        return []
    timelines = {name: tally.timeline(name) for name in complete(plan)}
    warnings = []
    for one in missing(plan.impressions, plan.outcomes, timelines, as_of, plan.least_of_day):
        told = _of_missing(plan, one)
        if one.certain and plan.on_missing_days == "stop" and not plan.reads_left_out:
            raise InputError(
                f"{told} Restore the files of that time. If nothing is missing, set `limits: {{missing_days: warn}}` under `logs` "
                "(`limits.least_of_day` defines a missing day)."
            )
        warnings.append(told)
    return warnings


def clock_warnings(plan: EventLogsPlan, tally: Tally) -> list[str]:
    """Warnings about a stream that ends long before the impressions, and about outcomes just before their impressions."""
    warnings = [] if plan.labelled else _behind(plan, tally)
    for stream in plan.streams:
        if not plan.makes_examples(stream):
            warnings += _leads(stream, tally)
    return warnings


def of_slowest(plan: EventLogsPlan, tally: Tally) -> str:
    """A sentence that names the stream that determines `as_of: latest`; empty if the recipe states `as_of`."""
    found = slowest(plan, watermarks(tally)) if plan.as_of is None and not plan.labelled else None
    if found is None:
        return ""
    name, at = found
    return (
        f" `as_of: latest` is {moment(at)}, the end of stream {name!r}, which ends first of the streams that tasks use."
    )


def _of_missing(plan: EventLogsPlan, one: Missing) -> str:
    what = f"{one.found:,} rows" if one.found != 1 else "1 row"
    long = "24 hours from " if one.hours == 24 and one.start % 24 else ""
    near = ", ".join(f"{text(start, one.hours)}: {rows:,} to {of:,}" for start, rows, of in one.near)
    other = f"{one.of:,} of {one.per}"
    if one.stream != plan.impressions:
        so = "Missing outcomes would become negative labels."
    elif one.of:
        so = "Outcomes of that time are credited to older impressions or become orphans."
    else:
        so = "The other streams have no rows of that time either. Are the files of all streams missing?"
    if one.also:
        first = ", ".join(text(start, one.hours) for start in one.also[:_SHOWN])
        more = f" and {len(one.also) - _SHOWN:,} more" if len(one.also) > _SHOWN else ""
        so += f" The same holds for {first}{more}."
    return (
        f"stream {one.stream!r}: {long}{text(one.start, one.hours)} has {what} to {other}; about {one.expected:,.0f} are "
        f"expected. Nearest days, {one.stream} to {one.per}: {near}. {so}"
    )


def _behind(plan: EventLogsPlan, tally: Tally) -> list[str]:
    found, seen = slowest(plan, watermarks(tally)), tally.timeline(str(plan.impressions))
    if plan.as_of is not None or found is None or seen.watermark is None:
        return []
    name, at = found
    behind, rows = seen.watermark - at, sum(n for hour, n in seen.hours.items() if hour > at // HOUR)
    expected = rows * tally.timeline(name).hours.total() / max(seen.hours.total() - rows, 1)
    if behind <= (BEHIND / 2 if expected >= LEAST_EXPECTED else BEHIND):
        return []
    return [
        f"stream {name!r} ends at {moment(at)}, {_duration(behind // HOUR)} before the impressions. So `as_of: latest` is that "
        f"time, and about {rows:,} later impressions get weight 0. Are files of "
        f"{name!r} missing? If not, set logs.as_of to the time up to which the logs are complete."
    ]


def _leads(stream: StreamPlan, tally: Tally) -> list[str]:
    account = tally.account(stream.name)
    outcomes = account["used"] + account["late"] + account["orphan"]
    for what, share in (_SOON, _LONG):
        count = tally.counts[what, stream.name]
        if count < _TRICKLE or count <= share * outcomes:
            continue
        if what == _LONG[0]:
            return [
                f"stream {stream.name!r}: {count:,} of {outcomes:,} outcomes are orphans that come up to 14 h before an "
                "impression of their key. Are the clocks of the two streams in different time zones? See `time.zone`."
            ]
        half = next(name for name in LEADS if 2 * tally.counts[name, stream.name] >= count)
        return [
            f"stream {stream.name!r}: {count:,} of {outcomes:,} outcomes are orphans that come less than a minute before an "
            f"impression of their key, half of them by {half.rpartition('_')[2]} or less. If the clocks differ, set "
            f"`clock_tolerance: {tolerance(stream, tally)}` in the stream to attribute them to that impression."
        ]
    return []


def tolerance(stream: StreamPlan, tally: Tally) -> str:
    """The first whole number of seconds among LEADS that nine tenths of the leads do not exceed."""
    most = 0.9 * tally.counts[_SOON[0], stream.name]
    whole = [name for name in LEADS if not name.endswith("ms")]
    return next(name for name in whole if tally.counts[name, stream.name] >= most).rpartition("_")[2]


def _duration(hours: int) -> str:
    return f"{hours / 24:.1f} days" if hours >= 48 else f"{hours} hours"
