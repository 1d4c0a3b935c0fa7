"""Affinity of tasks: whether the same examples are hard for both. Groups of tasks by affinity."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.cluster.hierarchy import cut_tree, linkage
from scipy.spatial.distance import squareform


def task_affinity(margins: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """(task, task) affinity: the share of examples that are hard for both tasks or easy for both, corrected for chance.

        e_i = 1 if m_i >= mean(m_i), else 0
        agreement(i, j) = P(e_i = 1, e_j = 1) + P(e_i = 0, e_j = 0)
        chance(i, j) = P(e_i = 1) P(e_j = 1) + P(e_i = 0) P(e_j = 0)
        affinity(i, j) = 1 - (1 - agreement) / (2 (1 - chance))

    Probabilities are shares of the examples in which both tasks are observed, each of which counts alike.
    Identical tasks have 1, unrelated ones 1/2.

    Lu et al., CVPR 2017, section 3.2 (https://arxiv.org/abs/1611.05377), for the agreement. Deviation: the paper's
    affinity is the agreement itself; here the two are equal where half of the examples are hard for each task. With rare
    labels, two unrelated tasks agree on almost all examples, because these are easy for both.

    Args:
        margins: (example, task) distances of the prediction from the label. Ignored where not observed; may be NaN.
        observed: (example, task) bool.

    Returns:
        1 on the diagonal; 1/2 for tasks without a common example, or with examples that are all hard or all easy.
    """
    counts = np.maximum(observed.sum(axis=0), 1)
    means = np.where(observed, margins, 0.0).sum(axis=0, dtype=np.float64) / counts
    hard = (np.where(observed, margins, -np.inf) >= means) & observed
    easy = observed & ~hard
    both = np.maximum(_together(observed, observed), 1.0)
    agreement = (_together(hard, hard) + _together(easy, easy)) / both
    # The share of i's hard examples among the examples that i has in common with j.
    share = _together(hard, observed) / both
    chance = share * share.T + (1.0 - share) * (1.0 - share.T)
    told = (_together(observed, observed) > 0) & (chance < 1.0)
    affinity = np.where(told, 1.0 - (1.0 - agreement) / np.where(told, 2.0 * (1.0 - chance), 1.0), 0.5)
    np.fill_diagonal(affinity, 1.0)
    return affinity


def _together(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(task, task) number of examples in which a task is in `one` and another in `other`."""
    return one.T.astype(np.float64) @ other.astype(np.float64)


def branch_affinity(affinity: np.ndarray, branches: Sequence[Sequence[int]]) -> np.ndarray:
    """(branch, branch) affinity of groups of tasks: the mean over the tasks of both of the smallest affinity to the other.

        directed(k, l) = mean_{i in k} min_{j in l} affinity(i, j);  branch_affinity(k, l) = (directed(k, l) + directed(l, k)) / 2

    Args:
        affinity: (task, task).
        branches: positions of the tasks of each branch.

    Returns:
        1 on the diagonal.
    """
    directed = np.array([[affinity[np.ix_(one, other)].min(axis=1).mean() for other in branches] for one in branches])
    found = (directed + directed.T) / 2.0
    np.fill_diagonal(found, 1.0)
    return found


def separation_cost(affinity: np.ndarray, groups: np.ndarray) -> float:
    """1 - mean_g mean_{k in g} min_{l in g} affinity(k, l): how unlike the branches of a group are; 0 if each is alone.

    Args:
        affinity: (branch, branch).
        groups: (branch,) number of the group of each.
    """
    inside = [affinity[np.ix_(groups == group, groups == group)].min(axis=1).mean() for group in np.unique(groups)]
    return float(1.0 - np.mean(inside))


def grouped(affinity: np.ndarray, most: int, separation: float) -> np.ndarray:
    """(branch,) the group of each branch, numbered in the order of their first branches.

    Of the groupings into d = 1, 2, ... groups, the one with the smallest (d - 1) + separation * separation_cost; of equal
    ones that with the fewest groups.

    Args:
        affinity: (branch, branch).
        most: largest number of groups.
        separation: weight of the separation cost.
    """
    count = len(affinity)
    if count == 1:
        return np.zeros(1, int)
    tree = linkage(squareform(1.0 - affinity, checks=False), "complete")
    cuts = [cut_tree(tree, n_clusters=d + 1)[:, 0] for d in range(min(most, count))]
    costs = [d + separation * separation_cost(affinity, groups) for d, groups in enumerate(cuts)]
    groups = cuts[int(np.argmin(np.round(costs, 9)))]
    first = list(dict.fromkeys(groups.tolist()))
    return np.array([first.index(group) for group in groups.tolist()])
