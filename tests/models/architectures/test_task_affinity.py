"""Affinity of tasks and their groups, by hand."""

import numpy as np
import pytest

from models.architectures.task_affinity import branch_affinity, grouped, separation_cost, task_affinity

ALL = np.ones((4, 2), bool)


def test_affinity_by_hand():
    # Means 0.5 and 2: examples 0 and 1 are hard for the first task, 0, 1 and 2 for the second.
    margins = np.array([[0.9, 2.0], [0.9, 4.0], [0.1, 2.0], [0.1, 0.0]])
    # Agreement 3/4; chance 1/2 * 3/4 + 1/2 * 1/4 = 1/2; affinity 1 - 1/4 / (2 * 1/2) = 3/4.
    np.testing.assert_allclose(task_affinity(margins, ALL), [[1, 0.75], [0.75, 1]])


def test_it_is_the_papers_where_half_of_the_examples_are_hard():
    random = np.random.default_rng(0)
    hard = np.stack([random.permutation(np.repeat([0, 1], 50)) for _ in range(3)], axis=1)
    agreement = (hard[:, :, None] == hard[:, None, :]).mean(axis=0)
    np.testing.assert_allclose(task_affinity(hard * 0.5 + 0.1, np.ones((100, 3), bool)), agreement)


def test_unrelated_tasks_with_rare_positives_have_one_half():
    random = np.random.default_rng(0)
    margins = np.where(random.random((200_000, 2)) < 0.01, 0.99, 0.01)  # they agree on 98 % of the examples
    assert task_affinity(margins, np.ones(margins.shape, bool))[0, 1] == pytest.approx(0.5, abs=0.01)


def test_masked_examples_do_not_count():
    margins = np.array([[0.9, 2.0], [0.9, 4.0], [0.1, 2.0], [0.1, 0.0], [np.nan, 9.0], [0.5, np.nan], [np.nan, np.nan]])
    observed = ~np.isnan(margins)
    # The second task's mean is now 17/5: only example 1 of the common ones is hard for it. The first's is still 0.5.
    # Agreement 3/4, hard shares 1/2 and 1/4, chance 1/2.
    np.testing.assert_allclose(task_affinity(margins, observed), [[1, 0.75], [0.75, 1]])


@pytest.mark.parametrize(
    ("margins", "observed"),
    [
        ([[1.0, 1.0], [0.0, 0.0]], [[True, False], [False, True]]),  # no common example
        ([[1.0, 1.0], [0.0, 1.0]], [[True, True], [True, True]]),  # all are hard for the second task
        ([[1.0, 1.0], [1.0, 1.0]], [[True, True], [True, True]]),
        ([[1.0, 1.0], [0.0, 0.0]], [[False, False], [False, False]]),
    ],
)
def test_one_half_where_nothing_can_be_told(margins, observed):
    np.testing.assert_array_equal(task_affinity(np.array(margins), np.array(observed)), [[1, 0.5], [0.5, 1]])


AFFINITY = np.array([[1.0, 0.9, 0.2, 0.4], [0.9, 1.0, 0.6, 0.3], [0.2, 0.6, 1.0, 0.8], [0.4, 0.3, 0.8, 1.0]])


def test_affinity_of_branches_by_hand():
    # From {0, 1} to {2, 3}: mean(0.2, 0.3) = 0.25; back: mean(0.2, 0.3) = 0.25.
    np.testing.assert_allclose(branch_affinity(AFFINITY, [[0, 1], [2, 3]]), [[1, 0.25], [0.25, 1]])
    # From {0} to {1, 2}: 0.2; back: mean(0.9, 0.2) = 0.55.
    assert branch_affinity(AFFINITY, [[0], [1, 2]])[0, 1] == pytest.approx(0.375)
    np.testing.assert_allclose(branch_affinity(AFFINITY, [[0], [1], [2], [3]]), AFFINITY)


def test_separation_by_hand():
    assert separation_cost(AFFINITY, np.array([0, 0, 1, 1])) == pytest.approx(1 - (0.9 + 0.8) / 2)
    assert separation_cost(AFFINITY, np.array([0, 0, 0, 0])) == pytest.approx(1 - (0.2 + 0.3 + 0.2 + 0.3) / 4)
    assert separation_cost(AFFINITY, np.arange(4)) == 0


@pytest.mark.parametrize(
    ("separation", "most", "expected"),
    [
        (0, 4, [0, 0, 0, 0]),
        (1.6, 4, [0, 0, 0, 0]),  # 1.6 * 0.75 = 1.2 < 1 + 1.6 * 0.15
        (2, 4, [0, 0, 1, 1]),  # 2 * 0.75 = 1.5 > 1 + 2 * 0.15
        (100, 4, [0, 1, 2, 3]),
        (100, 3, [0, 0, 1, 2]),
        (100, 1, [0, 0, 0, 0]),
    ],
)
def test_groups_by_hand(separation, most, expected):
    np.testing.assert_array_equal(grouped(AFFINITY, most, separation), expected)
    # Groups are numbered by their first branch, whatever the order of the branches.
    back = grouped(AFFINITY[::-1, ::-1], most, separation)
    assert back[0] == 0 and (np.diff([back.tolist().index(group) for group in range(back.max() + 1)]) > 0).all()


def test_one_branch_is_one_group():
    np.testing.assert_array_equal(grouped(np.ones((1, 1)), 4, 100.0), [0])


@pytest.mark.parametrize("rate", [0.5, 0.05, 0.01])
def test_two_planted_groups_of_tasks(rate):
    """Tasks 0 and 2 have one cause, 1 and 3 another; 30 % of a label's noise is its own. The predictions are perfect."""
    random = np.random.default_rng(5)
    chances = np.clip(rate * np.exp(random.normal(size=(2000, 2)) - 0.5), 0, 0.99)[:, [0, 1, 0, 1]]
    common, own = random.random((2000, 2))[:, [0, 1, 0, 1]], random.random((2000, 4))
    labels = np.where(random.random((2000, 4)) < 0.3, own, common) < chances
    affinity = task_affinity(np.abs(labels - chances), random.random((2000, 4)) < 0.8)
    assert affinity[0, 2] > 0.75 and affinity[1, 3] > 0.75
    np.testing.assert_allclose(affinity[0, [1, 3]], 0.5, atol=0.06)
    np.testing.assert_array_equal(grouped(affinity, 4, 5.0), [0, 1, 0, 1])


def test_two_planted_groups_with_opposite_hard_examples():
    random = np.random.default_rng(3)
    first = random.random(2000) < 0.5
    hard = np.stack([first, ~first, first, ~first], axis=1) ^ (random.random((2000, 4)) < 0.1)
    margins = hard + random.random((2000, 4)) / 4
    affinity = task_affinity(margins, random.random((2000, 4)) < 0.7)
    np.testing.assert_array_equal(grouped(affinity, 4, 5.0), [0, 1, 0, 1])
