"""Weights in given proportions that sum to the weights of the recipe."""

from __future__ import annotations

from typing import Any

from keras import ops


def proportional(shares: Any, fixed: Any, observed: Any) -> Any:
    """Scales the shares, so that the weights of the observed tasks sum to their weights in the recipe.

    The direction of the step is that of the shares. Its length stays that of the recipe's weights, so that the learning
    rate and the regularizers keep their meaning, and a single task has its weight of the recipe.

    Args:
        shares: (task,) 0 or more.
        fixed: (task,) the recipe's weights.
        observed: (task,) bool. The other tasks get 0.
    """
    shares = ops.where(observed, shares, 0.0)
    total = ops.sum(ops.where(observed, fixed, 0.0))
    return total * ops.divide_no_nan(shares, ops.sum(shares))
