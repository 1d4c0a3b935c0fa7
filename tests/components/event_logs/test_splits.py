"""The moment from which on examples evaluate, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from components.event_logs.identity import mix
from components.event_logs.plan import SplitPlan
from components.event_logs.splits import evaluates_by_hash, time_limit


@pytest.mark.parametrize(
    ("fraction", "limit"), [(0.2, 9), (0.1, 10), (0.01, 10), (0.3, 8), (0.75, 3), (0.99, 1), (0.24, 9), (0.25, 8)]
)
def test_the_newest_share_evaluates(fraction: float, limit: int) -> None:
    times = np.array([3, 1, 2, 10, 9, 8, 7, 6, 5, 4])
    split = SplitPlan(eval_fraction=fraction)
    assert time_limit(split, [times], 0) == limit
    assert time_limit(split, [times[7:], times[:2], times[2:7]], 0) == limit


def test_equal_times_stay_together() -> None:
    times = np.array([1, 2, 2, 2])
    limit = time_limit(SplitPlan(eval_fraction=0.25), [times], 0)
    assert (times >= limit).tolist() == [False, True, True, True]


def test_fixed_moments() -> None:
    assert time_limit(SplitPlan(eval_from=7), [], 100) == 7
    assert time_limit(SplitPlan(eval_last=7), [], 100) == 93
    assert time_limit(SplitPlan(eval_fraction=0.5), [], 100) is None


def test_by_hash_takes_about_the_share_and_grows_with_it() -> None:
    ids = (mix(np.arange(20_000)) >> np.uint64(1)).astype(np.int64)
    few, many = evaluates_by_hash(ids, 0.2), evaluates_by_hash(ids, 0.3)
    assert abs(few.mean() - 0.2) < 0.01 and abs(many.mean() - 0.3) < 0.01
    assert (few <= many).all()
    assert abs(np.median(ids[few]) / np.median(ids) - 1) < 0.05
