"""The starts of the splits and which split an example is in, by hand and for random times."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.event_logs.split_plan import SplitPlan
from components.event_logs.splits import GAP, Starts, needs_times, splits_by_hash, splits_by_time, starts_of
from components.example_schema import SPLITS
from models.features.splitmix import mix

TRAIN, VALIDATE, EVAL = range(len(SPLITS))


def starts(times: list[np.ndarray], as_of: int = 0, **split: Any) -> Starts:
    return starts_of(SplitPlan(**split), times, as_of, validate=True, evaluate=True)


@pytest.mark.parametrize(
    ("fraction", "limit"), [(0.2, 9), (0.1, 10), (0.01, 10), (0.3, 8), (0.75, 3), (0.99, 1), (0.24, 9), (0.25, 8)]
)
def test_the_newest_share_evaluates(fraction: float, limit: int) -> None:
    times = np.array([3, 1, 2, 10, 9, 8, 7, 6, 5, 4])
    assert starts([times], eval_fraction=fraction).eval == limit
    assert starts([times[7:], times[:2], times[2:7]], eval_fraction=fraction).eval == limit


@pytest.mark.parametrize(
    ("fraction", "limit"), [(None, 8), (0.01, 8), (0.18, 8), (0.19, 7), (0.25, 7), (0.5, 5), (0.99, 1)]
)
def test_the_newest_share_before_the_eval_split_validates(fraction: float | None, limit: int) -> None:
    times = np.array([3, 1, 2, 10, 9, 8, 7, 6, 5, 4])
    assert starts([times], eval_fraction=0.2, validate_fraction=fraction) == Starts(limit, 9)
    assert starts([times[7:], times[:7]], eval_from=9, validate_fraction=fraction) == Starts(limit, 9)


def test_equal_times_stay_together() -> None:
    times = np.array([1, 2, 2, 2])
    found = starts([times], eval_fraction=0.25, validate_fraction=0.5)
    assert splits_by_time(times, found, 0).tolist() == [VALIDATE, EVAL, EVAL, EVAL]


def test_fixed_moments() -> None:
    assert starts([], 100, eval_from=7, validate_from=0) == Starts(0, 7)
    assert starts([], 100, eval_last=7, validate_last=3) == Starts(90, 93)
    assert starts([], 100, eval_from=7, validate_last=3) == Starts(4, 7)
    assert starts([], 100, eval_fraction=0.5) == Starts(None, None)
    moments = SplitPlan(eval_last=7, validate_last=3)
    assert (
        not needs_times(moments) and needs_times(SplitPlan(eval_last=7)) and needs_times(SplitPlan(eval_fraction=0.1))
    )


def test_published_splits_have_no_start() -> None:
    times, split = [np.arange(1, 11)], SplitPlan(eval_fraction=0.2)
    assert starts_of(split, times, 0, validate=False, evaluate=True) == Starts(None, 9)
    assert starts_of(SplitPlan(), times, 0, validate=True, evaluate=False) == Starts(10, None)


def test_the_gaps_by_hand() -> None:
    """Validate begins at 10, eval at 20, and the gap is 3: 7, 8, 9 and 17, 18, 19 are in no split."""
    times = np.array([6, 7, 9, 10, 16, 17, 19, 20, 21])
    expected = [TRAIN, GAP, GAP, VALIDATE, VALIDATE, GAP, GAP, EVAL, EVAL]
    assert splits_by_time(times, Starts(10, 20), 3).tolist() == expected
    # A positive one gap later than a train example is earlier than the validate split.
    assert splits_by_time(times, Starts(None, 20), 3).tolist() == [TRAIN] * 5 + [GAP, GAP, EVAL, EVAL]
    assert splits_by_time(times, Starts(10, None), 3).tolist() == [TRAIN, GAP, GAP] + [VALIDATE] * 6


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 40), min_size=1, max_size=60),
    st.sampled_from([{"eval_fraction": 0.2}, {"eval_last": 8}, {"eval_from": 30}]),
    st.sampled_from([{}, {"validate_fraction": 0.3}, {"validate_last": 6}, {"validate_from": 25}]),
    st.integers(0, 5),
    st.randoms(use_true_random=False),
)
def test_the_splits_partition_the_rows_whatever_their_order(
    values: list[int], evaluate: dict[str, Any], validate: dict[str, Any], gap: int, random: Any
) -> None:
    times = np.array(values)
    found = starts([times], 40, **evaluate, **validate)
    chosen = splits_by_time(times, found, gap)
    cut, order = random.randint(0, len(times)), np.array(random.sample(range(len(times)), len(times)))
    assert starts([times[order][:cut], times[order][cut:]], 40, **evaluate, **validate) == found
    assert (splits_by_time(times[order], found, gap) == chosen[order]).all()
    assert np.isin(chosen, [TRAIN, VALIDATE, EVAL, GAP]).all()
    of_time = {}
    for time, split in zip(values, chosen, strict=True):
        assert of_time.setdefault(time, split) == split
    for split, start in ((VALIDATE, found.validate), (EVAL, found.eval)):
        if start is not None:
            assert (times[chosen == split] >= start).all()
            assert (times[chosen < split] < start - gap).all()


def test_by_hash_takes_about_the_shares_and_grows_with_them() -> None:
    ids = (mix(np.arange(40_000)) >> np.uint64(1)).astype(np.int64)
    few, many = splits_by_hash(ids, 0.1, 0.2), splits_by_hash(ids, 0.1, 0.3)
    shares = np.bincount(few, minlength=3) / len(ids)
    # A tenth of the four fifths that are not evaluated.
    np.testing.assert_allclose(shares, [0.72, 0.08, 0.2], atol=0.005)
    assert ((few == EVAL) <= (many == EVAL)).all()
    for split in (VALIDATE, EVAL):
        assert abs(np.median(ids[few == split]) / np.median(ids) - 1) < 0.05
    order = np.random.default_rng(0).permutation(len(ids))
    assert (splits_by_hash(ids[order], 0.1, 0.2) == few[order]).all()


def test_the_eval_hash_does_not_depend_on_the_validate_share() -> None:
    ids = np.arange(1_000) * 7
    assert ((splits_by_hash(ids, 0.0, 0.2) == EVAL) == (splits_by_hash(ids, 0.9, 0.2) == EVAL)).all()
    assert not (splits_by_hash(ids, 0.0, 0.2) == VALIDATE).any()
