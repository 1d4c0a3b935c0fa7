"""`balanced_order` is tested in test_balanced_rows.py, `epoch_order` in test_input_pipeline.py."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.features.epoch_orders import Orders, grouped_order

GROUPS = st.lists(st.integers(0, 6), max_size=40).map(lambda codes: np.array(codes, np.int32))


@given(GROUPS, st.integers(0, 9), st.integers(0, 3))
def test_each_row_once_and_each_group_together(groups: np.ndarray, seed: int, epoch: int) -> None:
    order = grouped_order(groups, seed, epoch)
    np.testing.assert_array_equal(np.sort(order), np.arange(len(groups)))
    runs = np.count_nonzero(np.diff(groups[order])) + 1 if len(groups) else 0
    assert runs == len(np.unique(groups))
    np.testing.assert_array_equal(order, grouped_order(groups, seed, epoch))


def test_groups_and_their_rows_have_another_order_in_each_epoch() -> None:
    groups = np.repeat(np.arange(5, dtype=np.int32), 20)
    first, second = (grouped_order(groups, 1, epoch) for epoch in (0, 1))
    of_groups = [groups[order][::20].tolist() for order in (first, second)]
    assert of_groups[0] != of_groups[1] and of_groups[0] != sorted(of_groups[0])
    rows = [order[groups[order] == 3].tolist() for order in (first, second)]
    assert rows[0] != rows[1] and rows[0] != sorted(rows[0])


def test_each_place_is_as_likely_for_each_group() -> None:
    """The first of three groups of different sizes, over 600 epochs: a third each, with a deviation of 0.02."""
    groups = np.repeat(np.arange(3, dtype=np.int32), [1, 5, 20])
    first = [groups[grouped_order(groups, 1, epoch)[0]] for epoch in range(600)]
    np.testing.assert_allclose(np.bincount(first) / 600, 1 / 3, atol=0.08)


def test_the_cache_has_the_order_by_groups() -> None:
    groups = np.arange(30, dtype=np.int32) % 4
    np.testing.assert_array_equal(Orders().of(30, 1, 2, groups=groups), grouped_order(groups, 1, 2))
