"""The split into train, validate and eval examples. By time, the result depends only on the examples' times; else on their ids.

    train |------------------------|  gap  |---- validate ----|  gap  |---- eval ----|
                                   validate start             |      eval start

The gaps end at the starts of the next splits. Their examples are in no split.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import numpy as np

from components.event_logs.moments import ranges_of
from components.event_logs.plan import EventLogsPlan
from components.event_logs.split_plan import SplitPlan
from components.example_schema import EVAL, SPLITS, VALIDATE
from models.features.splitmix import GOLDEN, mix

GAP = len(SPLITS)
"""Number of the examples in a gap; the number of the others is the place of their split in SPLITS."""
_VALIDATE_HASH = np.uint64(0x5851F42D4C957F2D)
"""Makes the hash of the validate split another one than that of the eval split."""


@dataclasses.dataclass(frozen=True)
class Starts:
    """The times (microseconds) at which the splits begin; None for a split that is not chosen by time."""

    validate: int | None = None
    eval: int | None = None


def starts_of(split: SplitPlan, times: Iterable[np.ndarray], as_of: int, *, validate: bool, evaluate: bool) -> Starts:
    """The times at which the validate split and the eval split begin.

    `eval_from` is the start itself, `eval_last` counts back from `as_of`. `eval_fraction` f of n examples: the start is
    the k-th newest time, k = round(f n) and at least 1. Examples at the start belong to the split, so equal times stay
    together. The validate split likewise ends the examples before the eval split: `validate_last` counts back from its start,
    and `validate_fraction` counts these examples only.

    Args:
        split: split of the plan.
        times: the times of all examples, in any arrays and order; read only if `needs_times`.
        as_of: microseconds.
        validate, evaluate: whether these splits are chosen by time. If false, their start is None.
    """
    every = np.concatenate([np.array([], np.int64), *times])
    eval_start = None
    if evaluate:
        by_time = as_of - split.eval_last if split.eval_last is not None else split.eval_from
        eval_start = by_time if by_time is not None else _newest(every, split.eval_fraction)
    if not validate:
        return Starts(None, eval_start)
    if split.validate_last is not None and eval_start is not None:
        return Starts(eval_start - split.validate_last, eval_start)
    earlier = every if eval_start is None else every[every < eval_start]
    by_time = split.validate_from
    return Starts(by_time if by_time is not None else _newest(earlier, split.validate_share), eval_start)


def starts_from(known: Iterable[np.ndarray | int], plan: EventLogsPlan) -> Starts:
    """`starts_of` for a plan, from the times of the examples, arrays, and `as_of`, a number, in any order."""
    times: list[np.ndarray] = []
    as_of = 0
    for value in known:
        if isinstance(value, np.ndarray):
            times.append(value)
        else:
            as_of = value
    if plan.streams[0].time is None:
        return Starts()
    if plan.cursor is not None:  # a share of what is new
        times = [some[some >= plan.cursor.until] for some in times]
    for start, end in ranges_of(plan.left_out):
        times = [some[(some < start) | (some >= end)] for some in times]
    return starts_of(plan.split, times, as_of, validate=not plan.published(VALIDATE), evaluate=not plan.published(EVAL))


def needs_times(split: SplitPlan) -> bool:
    """Whether the starts depend on the times of the examples."""
    return split.eval_fraction is not None or split.validate_share is not None


def splits_by_time(times: np.ndarray, starts: Starts, gap: int) -> np.ndarray:
    """(rows,) uint8: place in SPLITS, or GAP for an example at most `gap` microseconds before the start of a later split."""
    found = np.zeros(len(times), np.uint8)
    for split, start in ((VALIDATE, starts.validate), (EVAL, starts.eval)):
        if start is not None:
            found[times >= start - gap] = GAP
            found[times >= start] = SPLITS.index(split)
    return found


def splits_by_hash(example_ids: np.ndarray, validate: float, evaluate: float) -> np.ndarray:
    """(rows,) uint8: place in SPLITS; always the same for an id.

    Args:
        example_ids: (rows,) int64.
        validate: share of the validate split in the ids outside the eval split.
        evaluate: share of the eval split in all ids.
    """
    # Hashed again: otherwise the eval examples would have the smallest ids, and the files are sorted by id.
    ids = example_ids.astype(np.uint64)
    found = np.where(_uniform(mix(ids ^ _VALIDATE_HASH)) < validate, SPLITS.index(VALIDATE), 0)
    return np.where(_uniform(ids * GOLDEN) < evaluate, SPLITS.index(EVAL), found).astype(np.uint8)


def _uniform(hashes: np.ndarray) -> np.ndarray:
    """(rows,) float64 in [0, 1)."""
    return (hashes >> np.uint64(11)).astype(np.float64) / 2.0**53


def _newest(times: np.ndarray, share: float | None) -> int | None:
    """The time at which the newest share begins; None without examples."""
    if len(times) == 0 or share is None:
        return None
    newest = min(len(times), max(1, int(share * len(times) + 0.5)))
    return int(np.partition(times, len(times) - newest)[len(times) - newest])
