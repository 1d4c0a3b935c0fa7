from __future__ import annotations

import numpy as np
import pytest

from components.retrieval_evaluation.exact_top_k import exact_top_k, top_k_of_ranking
from components.retrieval_evaluation.exposure import effective_number, inverse_exposure
from components.retrieval_evaluation.methods import popular
from components.retrieval_evaluation.metrics import measure, true_recalls
from components.retrieval_evaluation.row_lists import RowLists


def test_weights_by_hand():
    """Of 10 impressions, the items have 5, 4 and 1: weights 10/5, 10/4, 10/1. Item 2 is clipped where nobody chose it."""
    exposure = np.array([5, 4, 1])
    assert inverse_exposure(exposure, RowLists.of([[2], [0]])).tolist() == [2.0, 2.5, 10.0]
    assert inverse_exposure(exposure, RowLists.of([[0], [1, 0]])).tolist() == [2.0, 2.5, 2.5]
    assert inverse_exposure(exposure, RowLists.empty(0)).tolist() == [2.0, 2.5, 10.0]


def test_the_clip_is_the_quantile_of_the_chosen_items_weights():
    """Of 201 chosen items, two lie above the 0.99 quantile: items 3 and 2, with weights 115/1 and 115/2."""
    exposure = np.array([100, 12, 2, 1])
    relevant = RowLists.of([[0]] * 190 + [[1]] * 9 + [[2]] + [[3]])
    np.testing.assert_allclose(inverse_exposure(exposure, relevant), [115 / 100, 115 / 12, 115 / 12, 115 / 12])


def test_effective_number():
    """(1 + 1 + 4)^2 / (1 + 1 + 16) = 2."""
    assert effective_number(np.array([1.0, 1.0, 4.0])) == 2.0
    assert effective_number(np.full(7, 3.5)) == pytest.approx(7.0)
    assert effective_number(np.zeros(0)) == 0.0


def test_under_skewed_exposure_the_weighted_recall_ranks_as_the_truth_does():
    """Users like 15 random items each. They see 60 items, drawn by a Zipf law, and choose liked ones mostly.

    One method knows half of a user's taste, the other knows which items were shown most. The logs prefer the second one.
    """
    rng = np.random.default_rng(3)
    users, items, k = 600, 300, 15
    shares = rng.permutation(1.0 / np.arange(1, items + 1))
    liked = np.argsort(rng.random((users, items)), axis=1)[:, :k].astype(np.int32)
    chance = np.full((users, items), 0.02)
    np.put_along_axis(chance, liked, 0.8, axis=1)
    # Gumbel noise on ln p draws without replacement.
    shown = np.argsort(-(np.log(shares) + rng.gumbel(size=(2, users, items))), axis=2)[:, :, :60]
    exposure = np.maximum(np.bincount(shown[0].ravel(), minlength=items), 1)
    chosen = rng.random((users, 60)) < np.take_along_axis(chance, shown[1], axis=1)
    there = chosen.any(axis=1)
    relevant = RowLists.of([line[kept] for line, kept in zip(shown[1][there], chosen[there], strict=True)])

    known = np.zeros((users, items))
    np.put_along_axis(known, liked[:, : k // 4], 1.0, axis=1)
    known += rng.random((users, items)) * 0.5
    known = known[there]
    none = RowLists.empty(len(known))
    methods = {
        "taste": exact_top_k(lambda start, stop: known[start:stop].copy(), len(known), items, k, none),
        "popular": top_k_of_ranking(popular(exposure), k, none),
    }
    weights = inverse_exposure(exposure, relevant)
    found = {name: measure(lists, relevant, exposure, weights, (k,))[0] for name, lists in methods.items()}
    truth = {name: true_recalls(lists, liked[there], (k,))[f"true_recall@{k}"].value for name, lists in methods.items()}
    assert truth["taste"] > 2.0 * truth["popular"]
    assert found["taste"][f"recall@{k}"] < found["popular"][f"recall@{k}"], "the logs prefer what they showed"
    assert found["taste"][f"weighted_recall@{k}"] > 1.3 * found["popular"][f"weighted_recall@{k}"]
    # The difference is no noise of few heavy weights.
    assert effective_number(weights[relevant.rows]) > 300
