"""AbsoluteError: predicts a median."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from models.losses.base import Loss, Start, median_and_deviation


class AbsoluteError(Loss):
    """Absolute error; predicts the median, which ignores extreme labels and is 0 if most labels are 0.

    |z - y|.
    """

    kind = "regression"

    def value(self, logits: Any, labels: Any) -> Any:
        return ops.abs(logits - labels)

    def start(self, labels: np.ndarray, weights: np.ndarray) -> Start:
        median, distance = median_and_deviation(labels, weights)
        return Start((median,), (distance,))

    def prediction(self, logits: Any) -> Any:
        return logits
