"""Normalized entropy: the log loss relative to that of the base rate."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr


def normalized_entropy(log_loss: float, labels: NDArray[Any], weights: NDArray[Any]) -> float | None:
    """log_loss / H(r), with r = sum w [y > 0] / sum w and H(r) = -r ln r - (1 - r) ln(1 - r).

    1 is the constant that predicts the base rate r of the same rows; lower is better.

    He et al., Practical Lessons from Predicting Clicks on Ads at Facebook, ADKDD 2014, section 3.

    Args:
        log_loss: weighted mean over the rows, in nats.
        labels, weights: (n,); weight 0 if the task is not observed.

    Returns:
        None if the observed rows have one class only.
    """
    observed = weights.astype(np.float64)
    positive = float(observed[labels > 0].sum())
    negative = float(observed[labels <= 0].sum())
    if positive <= 0.0 or negative <= 0.0:
        return None
    total = positive + negative
    return log_loss / float(entr(positive / total) + entr(negative / total))
