"""Row counts by day and stream, and detection of missing days: a day without files does not mean that nothing happened.

    views    |#####|#####|#####|#####|#####|         rate near the third day = median of clicks / views of the others
    clicks   | 12  | 11  |  0  | 13  | 12  |         expected = that rate x the views of the third day = 12
                            ^ missing

A day of outcomes is missing if all three hold: it has at most `least_of_day` of the expected rows, at least 15 rows are
expected, and the stream does not usually vary that much from day to day. The expected rows are the day's impressions times the
smaller of two rates of outcomes per impression: the median of the three nearest days with outcomes on either side, and the
rate of the same weekday one week before and after. A shop that is closed on Sundays therefore has no missing day. The expected
rows are also limited by the rows of those days themselves, so robots' impressions, or a sale with purchases days later, do not
make a day missing. Days of 24 hours are tried from each full hour on, because files may be cut by local days. If the
impressions span less than four days, hours replace days, and the same hour of the day before and after replaces the weekday.
The same rule, per outcome instead of per impression, finds missing days of impressions.

Rare outcomes never make a day missing: the probability of 0 rows with 15 expected is 3e-7. And -ln(found / expected) must be at
least 5 standard deviations of that logarithm, estimated from the median absolute deviation of the stream's other days, and at
least that of a Poisson count.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from components.event_logs.timeline import HOUR, Timeline

LEAST_EXPECTED = 15.0
STANDARD_DEVIATIONS = 5.0
NEIGHBOURS = 3
SHORT = 96
"""Hours. Impressions that span fewer hours are counted by hour."""
_WEEKEND = (5, 6)


@dataclass(frozen=True)
class Missing:
    """A missing day or hour of a stream. `start` is in hours since 1970; `per` names the streams the rows are compared with.

    `certain` is false if there may be another reason:

    - outcomes before the first day with the expected rows: their logging may have begun later, or the outcomes of the first
      impressions had not happened yet;
    - impressions after the last impression: they may have been cut there on purpose, to wait for their outcomes;
    - a day without rows in any stream: everything may have been closed;
    - a weekend or an hour without another week or day to compare with.
    """

    stream: str
    per: str
    start: int
    hours: int
    found: int
    of: int
    expected: float
    near: tuple[tuple[int, int, int], ...]
    """(start, rows, rows compared with) of the nearest days."""
    certain: bool
    also: tuple[int, ...] = ()
    """Start of the other missing days that begin at the same hour."""


def unit(timelines: Iterable[Timeline]) -> int:
    """24 or 1: the hours by which rows are counted. A few rows from clocks that run behind do not make a log longer."""
    spans = [(timeline.begin, max(timeline.hours)) for timeline in timelines if timeline.begin is not None]
    return 24 if spans and max(end for _, end in spans) - min(begin for begin, _ in spans) >= SHORT else 1


def by_day(timelines: Mapping[str, Timeline], unit: int) -> dict[str, dict[str, int]]:
    """{stream: {day or hour in UTC, ISO 8601: rows}}, earliest first; only days or hours with rows."""
    found = {}
    for name, timeline in timelines.items():
        days: Counter[int] = Counter()
        for hour, rows in timeline.hours.items():
            days[hour // unit * unit] += rows
        found[name] = {text(start, unit): days[start] for start in sorted(days)}
    return found


def text(start: int, unit: int) -> str:
    """An hour since 1970 as "2026-01-05", or "2026-01-05T15:00Z" if no day begins at that hour."""
    moment = datetime.datetime.fromtimestamp(start * 3600, datetime.UTC)
    return f"{moment:%Y-%m-%d}" if unit == 24 and start % 24 == 0 else f"{moment:%Y-%m-%dT%H:00Z}"


def missing(
    impressions: str, outcomes: Iterable[str], timelines: Mapping[str, Timeline], as_of: int, least: float
) -> list[Missing]:
    """At most one for each stream: the day with the smallest share of the expected rows, over all hours at which days may begin.

    Args:
        impressions, outcomes: names of streams.
        timelines: of each of them.
        as_of: microseconds; days that end later are not checked.
        least: share of the expected rows that a day must exceed.
    """
    names = [impressions, *outcomes]
    if len(names) == 1:  # nothing to compare the impressions with
        return []
    step = unit([timelines[impressions]])
    hours = {name: timelines[name].hours for name in names}
    begin = timelines[impressions].begin
    if begin is None:
        return []
    first = begin // step * step
    end = max(hour for name in names for hour in hours[name]) // step * step + step
    last = min(end, as_of // HOUR) - 1
    if last < first:
        return []
    rows = {name: _dense(hours[name], first, last) for name in names}
    together = np.sum([rows[name] for name in names[1:]], axis=0)
    found = []
    for name in names:
        of, per, rule = rows[impressions], impressions, _of_outcomes
        if name == impressions:
            of, per, rule = together, " and ".join(names[1:]), _of_impressions
        worst = None
        for offset in range(step):
            all_of = list(rule(name, per, rows[name][offset:], of[offset:], first + offset, step, least))
            for one in all_of:
                if (one.certain or offset == 0) and (worst is None or _badness(one) < _badness(worst)):
                    also = tuple(other.start for other in all_of if other.certain == one.certain and other is not one)
                    worst = dataclasses.replace(one, also=also)
        if worst is not None:
            found.append(worst)
    return found


def _badness(one: Missing) -> tuple[bool, float, float, bool, int]:
    return not one.certain, one.found / one.expected, -round(one.expected), one.start % one.hours != 0, one.start


def _dense(hours: Mapping[int, int], first: int, last: int) -> np.ndarray:
    inside = np.array([(hour - first, rows) for hour, rows in hours.items() if first <= hour <= last], np.int64)
    dense = np.zeros(last - first + 1, np.int64)
    if len(inside):
        dense[inside[:, 0]] = inside[:, 1]
    return dense


def _of_outcomes(
    name: str, per: str, rows: np.ndarray, of: np.ndarray, first: int, step: int, least: float
) -> Iterator[Missing]:
    counts, base = _days(rows, step), _days(of, step)
    near, by_impressions, compared, around = _expected(counts, base, step)
    _, by_time, _, _ = _expected(counts, np.ones_like(counts), step)
    expected = np.minimum(by_impressions, by_time)
    whole = (near >= LEAST_EXPECTED) & (counts > least * near)
    for day in _far_below(counts, expected, least):
        sure = whole[:day].any() and (compared[day] or _is_weekday(first, day, step))
        yield _missing(name, per, day, counts, base, expected, around, first, step, bool(sure))


def _of_impressions(
    name: str, per: str, rows: np.ndarray, of: np.ndarray, first: int, step: int, least: float
) -> Iterator[Missing]:
    counts, base = _days(rows, step), _days(of, step)
    _, by_outcomes, _, around = _expected(counts, base, step)
    _, by_time, compared, _ = _expected(counts, np.ones_like(counts), step)
    # If there are no outcomes either, everything may have been closed.
    expected = np.where(base > 0, np.minimum(by_outcomes, by_time), by_time)
    for day in _far_below(counts, expected, least):
        sure = base[day] > 0 and counts[day + 1 :].any() and (compared[day] or _is_weekday(first, day, step))
        yield _missing(name, per, day, counts, base, expected, around, first, step, bool(sure))


def _days(rows: np.ndarray, step: int) -> np.ndarray:
    days = len(rows) // step
    return rows[: days * step].reshape(days, step).sum(1)


def _expected(
    counts: np.ndarray, base: np.ndarray, step: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[np.ndarray]]:
    """(days,) rows expected by the rate near each day, (days,) the same limited by the rate of the week or day before and after,
    (days,) whether such a week or day exists, the days near each."""
    days, cycle = np.arange(len(counts)), 7 if step == 24 else 24
    filled = np.flatnonzero((counts > 0) & (base > 0))
    left, right = np.searchsorted(filled, days, "left"), np.searchsorted(filled, days, "right")
    steps = np.arange(NEIGHBOURS)
    places = np.concatenate([left[:, None] - NEIGHBOURS + steps, right[:, None] + steps], axis=1)
    inside = (places >= 0) & (places < len(filled))

    def season(values: np.ndarray) -> np.ndarray:
        held = np.concatenate([values, [0]])
        before, after = days - cycle, days + cycle
        return held[np.where(before >= 0, before, -1)] + held[np.where(after < len(values), after, -1)]

    # The median: one day of robots or of a sale does not make its neighbours look empty.
    rates = np.sort(np.append(counts[filled] / base[filled], np.nan)[np.where(inside, places, -1)], axis=1)
    middle = np.maximum(inside.sum(1) - 1, 0)[:, None]
    rate = np.take_along_axis(rates, np.hstack([middle // 2, (middle + 1) // 2]), axis=1).mean(1)
    rate = np.where(inside.any(1), rate, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        seasonal = np.where(season(base) > 0, season(counts) / season(base), np.inf)
    around = [filled[places[day][inside[day]]] for day in days]
    return base * rate, base * np.minimum(rate, seasonal), np.isfinite(seasonal), around


def _far_below(counts: np.ndarray, expected: np.ndarray, least: float) -> np.ndarray:
    """The days whose counts are far enough below the expected ones, before any other reason is considered."""
    enough = expected >= LEAST_EXPECTED
    logs = np.log((counts + 0.5) / (expected + 0.5))
    spread = 1.4826 * np.median(np.abs(logs[enough] - np.median(logs[enough]))) if enough.sum() >= 5 else 0.0
    deviation = np.maximum(spread, 1.0 / np.sqrt(np.maximum(expected, LEAST_EXPECTED)))
    return np.flatnonzero(enough & (counts <= least * expected) & (-logs >= STANDARD_DEVIATIONS * deviation))


def _is_weekday(first: int, day: int, step: int) -> bool:
    """Whether it is a day without an hour on a weekend. Such a day needs no other week to compare with."""
    hours = (first + int(day) * 24, first + int(day) * 24 + 23)
    return step == 24 and not any(
        datetime.datetime.fromtimestamp(hour * 3600, datetime.UTC).weekday() in _WEEKEND for hour in hours
    )


def _missing(
    name: str,
    per: str,
    day: int,
    counts: np.ndarray,
    base: np.ndarray,
    expected: np.ndarray,
    around: list[np.ndarray],
    first: int,
    step: int,
    certain: bool,
) -> Missing:
    near = tuple((int(first + i * step), int(counts[i]), int(base[i])) for i in around[day])
    return Missing(
        stream=name,
        per=per,
        start=int(first + day * step),
        hours=step,
        found=int(counts[day]),
        of=int(base[day]),
        expected=float(expected[day]),
        near=near,
        certain=certain,
    )
