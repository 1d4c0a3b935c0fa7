"""BinaryCrossentropy: predicts a probability."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from models.losses.base import Loss, Start, log_odds


class BinaryCrossentropy(Loss):
    """Negative log likelihood; predicts the probability of an outcome.

    -y log p - (1 - y) log(1 - p) with p = sigmoid(z), computed as y softplus(-z) + (1 - y) softplus(z): stable for any z.

    The usual max(z, 0) - y z + log(1 + exp(-|z|)) has a wrong gradient at z = 0. A new model's logits are 0 if all
    hidden units of the tower are inactive.
    """

    kind = "binary"
    labels = "0 or 1, or a share between them"

    def value(self, logits: Any, labels: Any) -> Any:
        return labels * ops.softplus(-logits) + (1.0 - labels) * ops.softplus(logits)

    def start(self, labels: np.ndarray, weights: np.ndarray) -> Start:
        return Start((log_odds(labels, weights),), (1.0,))

    def prediction(self, logits: Any) -> Any:
        return ops.sigmoid(logits)
