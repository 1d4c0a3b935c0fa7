"""Attribution windows from the delays between impressions and outcomes, the tasks, and the split of the examples."""

from __future__ import annotations

import dataclasses
import datetime

import polars as pl

from models.recipe.units import format_duration, parse_duration
from pipeline.starting import words
from pipeline.starting.joins import KEYED, Join, keyed
from pipeline.starting.sampling import columns
from pipeline.starting.streams import AT, FoundStream

_PLAIN = (
    "1m",
    "5m",
    "10m",
    "15m",
    "30m",
    "1h",
    "2h",
    "3h",
    "6h",
    "12h",
    "1d",
    "2d",
    "3d",
    "5d",
    "7d",
    "14d",
    "30d",
    "60d",
    "90d",
)
PLAIN = tuple(parse_duration(text) for text in _PLAIN)
"""Windows that people choose."""
EVAL_SHARES = (0.2, 0.3, 0.4)
_QUANTILE = 0.95
_LEAST_POSITIVES = 20
_LEAST_CLOSED = 0.3
_ROW = "\0row"
LABEL = "\0label "
"""Prefix of the columns with the labels of a stream's task."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class FoundTask:
    """A task on an outcome stream.

    Attributes:
        stream: the outcome stream, whose name is the task's.
        window: the attribution window.
        positives: sampled impressions with an outcome in the window.
        orphans: share of the sampled outcomes without an impression before them.
        value: column of the outcome's value, for a regression task; None if there is none.
        note: why this window.
        unsure: alternatives, or "".
    """

    stream: FoundStream
    window: datetime.timedelta
    positives: int
    orphans: float
    value: str | None
    note: str
    unsure: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class FoundTasks:
    """The tasks, the split, and the impressions with their labels.

    Attributes:
        tasks: by the outcome's place in the funnel.
        labelled: the impressions, with a column LABEL + task, true for an outcome in the window.
        eval_share: `split.eval_fraction`.
        note: what the split leaves.
        left_out: outcome streams without a task -> why.
    """

    tasks: tuple[FoundTask, ...]
    labelled: pl.DataFrame
    eval_share: float
    note: str
    left_out: dict[str, str]


def plain_window(delay: datetime.timedelta) -> datetime.timedelta:
    """The shortest plain window that is not shorter than the delay; the longest one if there is none."""
    return next((window for window in PLAIN if window >= delay), PLAIN[-1])


def delays(join: Join, outcome: FoundStream) -> pl.DataFrame:
    """Outcomes with an impression before them: row of the last such impression, and the delay in microseconds."""
    shown = keyed(join.impressions.frame.with_row_index(_ROW), join.keys[join.impressions.name]).select(
        KEYED, _ROW, pl.col(AT).alias("\0shown"), pl.col(AT)
    )
    happened = keyed(outcome.frame, join.keys[outcome.name]).select(KEYED, AT)
    found = happened.sort(AT).join_asof(shown.sort(AT), on=AT, by=KEYED, strategy="backward", check_sortedness=False)
    return found.drop_nulls(_ROW).select(_ROW, (pl.col(AT) - pl.col("\0shown")).alias("delay"))


def find_tasks(join: Join) -> FoundTasks:
    """One task for each outcome stream that has enough outcomes.

    A window is the 95 % quantile of the delays, rounded up to a plain duration. It becomes shorter if else no split leaves enough
    closed labels: of the newest 40 % of the impressions at least 30 % must have a closed window, and 20 of them an outcome.
    """
    impressions = join.impressions.frame.with_row_index(_ROW)
    left_out: dict[str, str] = {}
    found = {}
    for outcome in join.outcomes:
        lags = delays(join, outcome)
        if lags.height < _LEAST_POSITIVES:
            left_out[outcome.name] = (
                f"only {lags.height} of its {outcome.frame.height:,} sampled rows follow an impression"
            )
        else:
            found[outcome.name] = outcome, lags
    watermark = min([_last(join.impressions), *(_last(outcome) for outcome, _ in found.values())])
    tasks: list[FoundTask] = []
    share = EVAL_SHARES[0]
    labelled = impressions
    for name, (outcome, lags) in found.items():
        quantile = datetime.timedelta(microseconds=float(lags["delay"].quantile(_QUANTILE) or 0))
        wanted = plain_window(quantile)
        window, needed = _measurable(impressions, lags, wanted, watermark)
        if window is None:
            left_out[name] = (
                f"too few of its rows leave a closed label in the newest {EVAL_SHARES[-1]:.0%} of the impressions"
            )
            continue
        share = max(share, needed)
        rows = lags.filter(pl.col("delay") <= _micros(window))[_ROW].unique()
        labelled = labelled.with_columns(pl.col(_ROW).is_in(rows.implode()).alias(LABEL + name))
        median = datetime.timedelta(microseconds=float(lags["delay"].median() or 0))  # type: ignore[arg-type]
        note = f"95 % of the outcomes come within {_said(quantile)} of the impression, half within {_said(median)}"
        unsure = (
            f"{format_duration(wanted)} fits the delays, but the logs are too short to measure it"
            if window != wanted
            else ""
        )
        if window >= _span(impressions) / 4 and not unsure:
            unsure = "the window is long for these logs. Alternative: a shorter one, which leaves more closed labels"
        tasks.append(
            FoundTask(
                stream=outcome,
                window=window,
                positives=rows.len(),
                orphans=1 - lags.height / outcome.frame.height,
                value=_value(outcome, join),
                note=note,
                unsure=unsure,
            )
        )
    tasks.sort(key=lambda task: (_place(task.stream.name), -task.positives))
    said = ", ".join(f"{task.stream.name} {_closed(labelled, task.window, share, watermark):.0%}" for task in tasks)
    note = f"share of the eval split with a closed label: {said}"
    return FoundTasks(tasks=tuple(tasks), labelled=labelled, eval_share=share, note=note, left_out=left_out)


def _measurable(
    impressions: pl.DataFrame, lags: pl.DataFrame, wanted: datetime.timedelta, watermark: int
) -> tuple[datetime.timedelta | None, float]:
    """The longest plain window up to `wanted`, and the smallest eval split, that leave enough closed labels."""
    for window in [plain for plain in reversed(PLAIN) if plain <= wanted]:
        rows = lags.filter(pl.col("delay") <= _micros(window)).select(_ROW).unique()
        positive = impressions.join(rows, on=_ROW)[AT]
        for share in EVAL_SHARES:
            start = _start(impressions, share)
            positives = ((positive >= start) & (positive <= watermark - _micros(window))).sum()
            if _closed(impressions, window, share, watermark) >= _LEAST_CLOSED and positives >= _LEAST_POSITIVES:
                return window, share
    return None, EVAL_SHARES[-1]


def _closed(impressions: pl.DataFrame, window: datetime.timedelta, share: float, watermark: int) -> float:
    newest = impressions.filter(pl.col(AT) >= _start(impressions, share))[AT]
    return float((newest <= watermark - _micros(window)).mean() or 0.0)  # type: ignore[arg-type]


def _start(impressions: pl.DataFrame, share: float) -> float:
    return float(impressions[AT].quantile(1 - share) or 0)


def _last(stream: FoundStream) -> int:
    return int(stream.frame[AT].max())  # type: ignore[arg-type]


def _span(impressions: pl.DataFrame) -> datetime.timedelta:
    first, last = impressions.select(pl.col(AT).min().alias("first"), pl.col(AT).max().alias("last")).row(0)
    return datetime.timedelta(microseconds=last - first)


def _micros(window: datetime.timedelta) -> int:
    return window // datetime.timedelta(microseconds=1)


def _place(name: str) -> int:
    """Place of a task, whose first one is the score that ranks. Streams without a known name come after clicks."""
    place = words.stage(name)
    return 3 if place is None else place


def _said(delay: datetime.timedelta) -> str:
    seconds = delay.total_seconds()
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"


def _value(outcome: FoundStream, join: Join) -> str | None:
    """A number that only the outcomes have, such as the value of an order."""
    shown = {name for name in columns(join.impressions.frame) if join.impressions.frame[name].drop_nulls().len()}
    for name in outcome.columns:
        values = outcome.frame[name]
        if name in shown or not values.dtype.is_numeric() or not words.is_quantity(name) or words.is_id(name):
            continue
        if values.drop_nulls().len() >= 0.95 * values.len() and values.n_unique() > 2:
            return name
    return None
