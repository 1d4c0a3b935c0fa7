"""Weights of chosen items by inverse exposure: logs contain what was shown, so they favour items that were shown often.

A user can choose an item only if it is shown. The choices that the logs have of an item are therefore about proportional to
its impressions, and the plain recall mostly asks for the items that were shown most. With

    p(i) = impressions of item i in the train split / all impressions in it
    w(i) = min(1 / p(i), c),    c = the CLIP_QUANTILE quantile of 1 / p(i) over the eval queries' chosen items

the recall in which a chosen item counts w(i) is self-normalised inverse propensity scoring. If every user is shown item i
with a probability proportional to p(i), it estimates the recall under uniform exposure. Two assumptions remain: exposure
depends only on the item, and it is the same in the eval split as before. The clip bounds the variance, at the price of a bias
towards items with many impressions.

Schnabel, Swaminathan, Singh, Chandak, Joachims: Recommendations as Treatments: Debiasing Learning and Evaluation, ICML 2016
(https://arxiv.org/abs/1602.05352), and Yang, Cui, Xuan, Wang, Belongie, Estrin: Unbiased Offline Recommender Evaluation for
Missing-Not-At-Random Implicit Feedback, RecSys 2018 (https://doi.org/10.1145/3240323.3240355). They estimate the propensity by
a model and by a power of the popularity; here the impressions are counted. The clip is ours.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from components.retrieval_evaluation.row_lists import RowLists

CLIP_QUANTILE = 0.99
"""Quantile of the weights of the chosen items at which weights are clipped. Up to 100 of them are not clipped."""


def inverse_exposure(exposure: NDArray[np.int64], relevant: RowLists) -> NDArray[np.float64]:
    """(item,) w(i), the weight of a chosen item.

    Args:
        exposure: (item,) impressions of each item, at least 1.
        relevant: for each query the items that its user chose.
    """
    weights: NDArray[np.float64] = exposure.sum() / exposure.astype(np.float64)
    if not len(relevant.rows):
        return weights
    return np.minimum(weights, np.quantile(weights[relevant.rows], CLIP_QUANTILE, method="higher"))


def effective_number(weights: NDArray[np.float64]) -> float:
    """(sum of w)^2 / sum of w^2: so many equally weighted values have the same variance (Kish: Survey Sampling, 1965).

    Args:
        weights: (n,) above 0.
    """
    return float(weights.sum() ** 2 / np.square(weights).sum()) if len(weights) else 0.0
