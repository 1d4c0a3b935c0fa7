"""Rows of a pass in which each task is seen equally often, and the weights that keep the losses' expectations.

    p_i = mean over tasks of w_ti / sum_j w_tj
    q_i = (1 - UNIFORM) p_i + UNIFORM / N           probability of row i of N
    correction_i = 1 / (N q_i), at most 1 / UNIFORM

A pass draws N rows, row i with expectation N q_i, and multiplies the weights of its tasks by correction_i. The expected
sum of a task's weights, and of its weighted losses, is then that of a pass over every row once:

    E[sum over draws of correction_i w_ti loss_ti] = sum_i N q_i correction_i w_ti loss_ti = sum_i w_ti loss_ti

The loss of a batch of B rows is sum(w loss) / sum(w) over its corrected weights: a ratio of two sums that each have the
right expectation. Where the rows of a task have different corrections, the ratio itself is off by a term of order 1 / B.
The reported training loss is the ratio over all batches of a round.

`models.features.epoch_orders.balanced_order` draws the rows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

UNIFORM = 0.1
"""Share of the draws for which all rows are equally likely. It bounds the correction by 1 / UNIFORM, also for rows of tiny weight."""


def probabilities(weights: NDArray[np.float32]) -> NDArray[np.float64]:
    """(example,): probability of each row. A task that is nowhere observed has no part; without any, all are equal.

    Args:
        weights: (example, task), 0 or more; 0 where the task is not observed.
    """
    totals = weights.sum(axis=0, dtype=np.float64)
    shares = np.divide(1.0, totals, out=np.zeros_like(totals), where=totals > 0)
    tasks = np.count_nonzero(totals)
    equal = np.full(len(weights), 1.0 / len(weights))
    mean = weights @ shares / tasks if tasks else equal
    return (1.0 - UNIFORM) * mean + UNIFORM * equal


def corrections(probability: NDArray[np.float64]) -> NDArray[np.float32]:
    """(example,): 1 / (N q_i), the factor of the weights of a drawn row."""
    return (1.0 / (len(probability) * probability)).astype(np.float32)
