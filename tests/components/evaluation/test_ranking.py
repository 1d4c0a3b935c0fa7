from __future__ import annotations

import numpy as np
import pytest

from components.evaluation.ordering import PASS_ROWS
from components.evaluation.ranking import Ranked, areas, falling_order
from components.evaluation.slices import Slicing, one_slice

POSITIVE = np.array([1, 0, 1, 0, 0, 1], np.bool_)
PREDICTIONS = np.array([0.9, 0.4, 0.4, 0.1, 0.6, 0.2], np.float32)
WHOLE = one_slice(np.ones(6, np.bool_))
# a: 0.9+ 0.4- 0.4+ 0.1-   b: 0.6- 0.2+
SLICING = Slicing(codes=np.array([0, 0, 0, 0, 1, 1], np.uint8), values=(("a",), ("b",)))


def ranked(weights=None, groups=None):
    return Ranked(positive=POSITIVE, predictions=PREDICTIONS, weights=weights, groups=groups)


def measured(ranked, rows, slicings, **options):
    """With the weights that the sums would give."""
    weights = []
    for slicing in slicings:
        sums = []
        for some in (rows, rows[ranked.positive[rows]]):
            weight = None if ranked.weights is None else ranked.weights[some]
            sums.append(np.bincount(slicing.codes[some], weight, len(slicing.values) + 1)[:-1])
        weights.append(tuple(sums))
    return areas(falling_order(ranked, rows, options.get("least", PASS_ROWS)), slicings, weights, **options)


@pytest.mark.parametrize("least", [1, 2, 3, 100])
def test_by_hand(least):
    [whole, split] = measured(ranked(), np.arange(6), [WHOLE, SLICING], grouped=False, least=least)
    # pairs of 0.9: 3; of 0.4: 0.1 and half a tie; of 0.2: 0.1
    assert whole.auc.tolist() == [5.5 / 9]
    assert split.auc.tolist() == [3.5 / 4, 0.0]
    # thresholds 0.9: 1 of 1; 0.4: 2 of 4; 0.2: 3 of 5
    assert whole.pr_auc == pytest.approx((1 + 2 / 4 + 3 / 5) / 3)
    assert split.pr_auc == pytest.approx([(1 + 2 / 3) / 2, 1 / 2])
    assert np.isnan(whole.gauc).all() and np.isnan(split.gauc).all()


@pytest.mark.parametrize("least", [1, 2, 3, 100])
def test_groups_by_hand(least):
    # group 5: 0.9+ 0.4- right; group 2: 0.4+ 0.6- wrong; 0.1-, 0.2+: the first has no group, the other one class
    groups = np.array([5, 5, 2, -1, 2, 3], np.int16)
    [whole, split] = measured(ranked(groups=groups), np.arange(6), [WHOLE, SLICING], grouped=True, least=least)
    assert whole.gauc.tolist() == [0.5]
    # slice a has only one example of group 2
    assert split.gauc[0] == 1.0 and np.isnan(split.gauc[1])
    # weights: group 5 counts 4, group 2 counts 2
    heavy = ranked(np.array([3.0, 1, 1, 1, 1, 1], np.float32), groups)
    [whole] = measured(heavy, np.arange(6), [WHOLE], grouped=True, least=least)
    assert whole.gauc.tolist() == [4 / 6]


@pytest.mark.parametrize("seed", range(5))
def test_a_group_of_one_class_has_no_auc_whatever_its_weights(seed):
    """The weight of a group is a difference of sums: less the positives' it is 0 but for rounding."""
    weights = np.random.default_rng(seed).random(40)
    # slice a: group 2 in the right order, and only positives of group 5, whose negative is in slice b
    groups, codes = np.array([2, 2] + [5] * 38, np.int16), np.array([0] * 39 + [1], np.uint8)
    positive, predictions = np.array([True, False] + [True] * 37 + [False]), np.linspace(0.9, 0.1, 40)
    one = Ranked(positive=positive, predictions=predictions, weights=weights, groups=groups)
    [split] = measured(one, np.arange(40), [Slicing(codes=codes, values=(("a",), ("b",)))], grouped=True)
    assert split.gauc[0] == 1.0 and split.groups.tolist() == [1, 0] and np.isnan(split.gauc[1])


def test_only_observed_rows_count():
    [whole] = measured(ranked(), np.array([0, 3]), [WHOLE], grouped=False)
    assert whole.auc.tolist() == [1.0]
    [nothing] = measured(ranked(), np.array([], np.int64), [WHOLE], grouped=True)
    assert np.isnan(nothing.auc).all() and np.isnan(nothing.pr_auc).all() and np.isnan(nothing.gauc).all()


def test_all_predictions_equal():
    flat = Ranked(positive=POSITIVE, predictions=np.full(6, 0.5, np.float32), weights=None, groups=None)
    for least in (2, 100):
        [whole] = measured(flat, np.arange(6), [WHOLE], grouped=False, least=least)
        assert whole.auc.tolist() == [0.5] and whole.pr_auc.tolist() == [0.5]
