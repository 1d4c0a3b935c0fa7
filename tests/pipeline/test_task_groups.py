"""The best groups: by hand, against brute force, ties, and the limits."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.recipe.errors import InputError
from pipeline.task_groups import MOST_TASKS, Group, best_groups, total_affinity


def affinities(matrix):
    names = "abcdefghijklmno"[: len(matrix)]
    return {b: dict(zip(names, row, strict=True)) for b, row in zip(names, matrix, strict=True)}


def brute_force(affinity, networks, served):
    """The largest total over all sets of groups that cover the served tasks, each of them served from its best group."""
    tasks = sorted(affinity)
    groups = [set(some) for size in range(1, len(tasks) + 1) for some in itertools.combinations(tasks, size)]

    def score(task, group):
        others = group - {task}
        return sum(affinity[other][task] for other in others) / len(others) if others else 0.0

    def total(chosen):
        if not set().union(*chosen) >= set(served):
            return -np.inf
        return sum(max(score(task, group) for group in chosen if task in group) for task in served)

    return max(total(chosen) for size in range(1, networks + 1) for chosen in itertools.combinations(groups, size))


def test_by_hand():
    # b helps a, and a harms b: with two networks, a is trained with b, and b is served from a network of its own.
    affinity = {"a": {"a": 9.0, "b": -1.0}, "b": {"a": 3.0, "b": 9.0}}
    assert best_groups(affinity, 1) == (Group(("a", "b"), ("a", "b")),)
    assert best_groups(affinity, 2) == (Group(("a", "b"), ("a",)), Group(("b",), ("b",)))
    assert total_affinity(affinity, best_groups(affinity, 1)) == 2.0
    assert total_affinity(affinity, best_groups(affinity, 2)) == 3.0
    # With a alone to serve, b only helps; with b alone to serve, a is of no use. A second network has nothing to do.
    assert best_groups(affinity, 2, ["a"]) == (Group(("a", "b"), ("a",)),)
    assert best_groups(affinity, 2, ["b"]) == (Group(("b",), ("b",)),)
    # The mean over the others, not the sum: onto a (4 + 1) / 2, onto b (2 + 0) / 2, onto c (3 + 6) / 2.
    three = {"a": {"b": 2.0, "c": 3.0}, "b": {"a": 4.0, "c": 6.0}, "c": {"a": 1.0}}
    assert total_affinity(three, best_groups(three, 1)) == 2.5 + 1.0 + 4.5


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 4), st.integers(1, 3), st.data())
def test_the_total_is_that_of_brute_force(tasks, networks, data):
    # Small whole numbers have many ties.
    number = st.one_of(st.integers(-2, 2).map(float), st.floats(-1.0, 1.0))
    affinity = affinities(
        data.draw(st.lists(st.lists(number, min_size=tasks, max_size=tasks), min_size=tasks, max_size=tasks))
    )
    served = data.draw(st.lists(st.sampled_from(sorted(affinity)), min_size=1, unique=True))
    groups = best_groups(affinity, networks, served)
    assert len(groups) <= networks
    assert sorted(task for group in groups for task in group.served) == sorted(served)
    assert all(set(group.served) <= set(group.tasks) for group in groups)
    assert total_affinity(affinity, groups) == pytest.approx(brute_force(affinity, networks, served), abs=1e-7)


def test_ties_go_to_fewer_networks_then_smaller_groups_whatever_the_order():
    nothing = affinities(np.zeros((4, 4)))
    assert best_groups(nothing, 3) == (Group(tuple("abcd"), tuple("abcd")),)
    # Three equal tasks and an opposed one: two networks suffice, and no task is trained where it is not served.
    matrix = np.ones((4, 4))
    matrix[3, :3] = matrix[:3, 3] = -1.0
    expected = (Group(tuple("abc"), tuple("abc")), Group(("d",), ("d",)))
    assert best_groups(affinities(matrix), 4) == expected
    rng = np.random.default_rng(0)
    rounded = affinities(rng.integers(-1, 2, (6, 6)) / 10)
    for networks in (2, 3):
        first = best_groups(rounded, networks)
        for _ in range(5):
            order = rng.permutation(list(rounded))
            assert (
                best_groups({b: {a: rounded[b][a] for a in rng.permutation(order)} for b in order}, networks) == first
            )


def test_an_unknown_pair_counts_nothing_and_a_task_may_be_alone():
    assert best_groups({"a": {}, "b": {}}, 2) == (Group(("a", "b"), ("a", "b")),)
    assert best_groups({"a": {"a": 1.0}}, 2) == (Group(("a",), ("a",)),)


def test_twelve_tasks_are_fast():
    matrix = np.random.default_rng(1).normal(size=(12, 12))
    begin = time.process_time()
    groups = best_groups(affinities(matrix), 4)
    assert time.process_time() - begin < 5.0 and 1 < len(groups) <= 4


@pytest.mark.parametrize(("tasks", "networks"), [(MOST_TASKS + 1, 2), (2, 0)])
def test_the_limits_are_said(tasks, networks):
    words = f"at most {MOST_TASKS} tasks and at least 1 network, received {tasks} and {networks}"
    with pytest.raises(InputError, match=words):
        best_groups(affinities(np.zeros((tasks, tasks))), networks)
