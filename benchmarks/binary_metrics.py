"""Metrics of binary predictions, the same for every subject in every environment."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import log_loss, roc_auc_score

LEAST = 1e-7
"""Probabilities are clipped to [LEAST, 1 - LEAST] before the logarithm."""


def binary_metrics(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """AUC, with ties as half, and mean log loss in nats.

    Args:
        labels: (n,) 0 or 1, with both.
        probabilities: (n,) of label 1.
    """
    chances = np.clip(probabilities.astype(np.float64), LEAST, 1.0 - LEAST)
    return {"auc": float(roc_auc_score(labels, chances)), "log_loss": float(log_loss(labels, chances))}
