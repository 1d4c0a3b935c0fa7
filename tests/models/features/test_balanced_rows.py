"""Rows drawn so that each task is seen equally often, with weights that keep the expectations."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from models.features.balanced_rows import UNIFORM, corrections, probabilities
from models.features.epoch_orders import Orders, balanced_order


def weights(*rows: list[float]) -> NDArray[np.float32]:
    return np.array(rows, np.float32)


def drawn(given: NDArray[np.float32], epoch: int = 0, seed: int = 1) -> NDArray[np.int64]:
    """(example,): how often each row is drawn."""
    order = balanced_order(probabilities(given), seed, epoch)
    return np.bincount(order, minlength=len(given))


HAND = weights([1, 1], [1, 0], [1, 0], [1, 0])
"""Task 0 is observed on all four rows, task 1 on the first."""


def test_probabilities_and_corrections_by_hand() -> None:
    # p = (1/2) (1/4 + 1) = 0.625, and (1/2) (1/4) = 0.125; q = 0.9 p + 0.1 / 4.
    assert probabilities(HAND).tolist() == pytest.approx([0.5875, 0.1375, 0.1375, 0.1375])
    # 1 / (4 q): 1 / 2.35 and 1 / 0.55.
    assert corrections(probabilities(HAND)).tolist() == pytest.approx([0.4255319, 1.8181818, 1.8181818, 1.8181818])


def test_weights_count_and_not_only_whether_they_are_0() -> None:
    # Task 0: 3/4 and 1/4. Task 1 is observed nowhere, so it has no part.
    assert probabilities(weights([3, 0], [1, 0])).tolist() == pytest.approx([0.9 * 0.75 + 0.05, 0.9 * 0.25 + 0.05])
    assert probabilities(weights([0, 0], [0, 0])).tolist() == [0.5, 0.5]


def test_no_correction_is_above_the_bound() -> None:
    given = np.ones((1000, 1), np.float32)
    given[:5] = 1e-6
    found = corrections(probabilities(given))
    assert found.max() == pytest.approx(1 / UNIFORM, rel=1e-4) and found.argmax() < 5


def test_where_all_tasks_are_observed_everywhere_each_row_is_drawn_once() -> None:
    given = np.ones((1001, 3), np.float32)
    assert (drawn(given) == 1).all()
    np.testing.assert_allclose(corrections(probabilities(given)), 1.0, rtol=1e-6)


def test_each_task_has_the_same_share_of_the_draws() -> None:
    """Three tasks on rows of their own: 900, 90 and 10 of 1000."""
    given = np.repeat(np.eye(3, dtype=np.float32), [900, 90, 10], axis=0)
    shares = np.array([counts.sum() for counts in np.split(drawn(given), [900, 990])]) / 1000
    plain = np.array([0.9, 0.09, 0.01])
    np.testing.assert_allclose(shares, (1 - UNIFORM) / 3 + UNIFORM * plain, atol=0.03)
    # Over 200 passes the roundings cancel.
    mean = sum(drawn(given, epoch) for epoch in range(200)) / 200
    np.testing.assert_allclose(
        [counts.sum() / 1000 for counts in np.split(mean, [900, 990])],
        (1 - UNIFORM) / 3 + UNIFORM * plain,
        atol=0.001,
    )


def test_a_row_is_drawn_floor_or_ceil_times_and_right_on_average() -> None:
    random = np.random.default_rng(0)
    given = (random.random((500, 3)) * (random.random((500, 3)) < [1.0, 0.3, 0.02])).astype(np.float32)
    expected = 500 * probabilities(given)
    passes = [drawn(given, epoch) for epoch in range(300)]
    for counts in passes:
        assert counts.sum() == 500
        assert ((counts >= np.floor(expected)) & (counts <= np.ceil(expected))).all()
    np.testing.assert_allclose(np.mean(passes, axis=0), expected, atol=0.12)  # 4 deviations of 0.5 / sqrt(300)
    # Neighbours do not go together: the rows of an epoch are not one of a few patterns.
    assert len({tuple(counts) for counts in passes}) == 300


def test_the_corrected_sums_are_those_of_the_plain_order() -> None:
    """sum_i E[drawn_i] correction_i w_ti v_i = sum_i w_ti v_i, whatever the values."""
    random = np.random.default_rng(1)
    given = (random.random((400, 2)) < [1.0, 0.05]).astype(np.float32)
    values = random.normal(size=400)
    factors = corrections(probabilities(given))
    draws = np.mean([drawn(given, epoch) for epoch in range(400)], axis=0)
    for sums in (np.ones(400), values):
        found, plain = (draws * factors * sums) @ given, sums @ given
        np.testing.assert_allclose(found, plain, atol=0.01 * np.abs(sums[:, None] * given).sum(axis=0).max())


def test_the_order_is_a_function_of_seed_and_epoch() -> None:
    """Written down: models of the same seed must come out equal after an upgrade, too."""
    assert balanced_order(probabilities(HAND), 1, 0).tolist() == EXPECTED_ORDER
    random = np.random.default_rng(0)
    q = probabilities((random.random((50, 2)) < [1.0, 0.2]).astype(np.float32))
    assert balanced_order(q, 1, 0).tolist() == balanced_order(q, 1, 0).tolist()
    assert balanced_order(q, 1, 0).tolist() != balanced_order(q, 2, 0).tolist() != balanced_order(q, 1, 1).tolist()


EXPECTED_ORDER = [0, 0, 2, 0]


def test_the_cache_tells_balanced_from_plain() -> None:
    orders, q = Orders(), probabilities(HAND)
    assert orders.of(4, 1, 0, q).tolist() == EXPECTED_ORDER
    assert sorted(orders.of(4, 1, 0).tolist()) == [0, 1, 2, 3]
    assert orders.of(4, 1, 0, q) is not orders.of(4, 1, 0)
