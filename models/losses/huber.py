"""Huber: a squared error that is robust to outliers."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from models.losses.base import Loss, Start, median_and_deviation


class Huber(Loss):
    """Squared error up to a distance of 1 and absolute error beyond; suits labels of magnitude 1 with outliers.

    (z - y)^2 / 2 up to a distance of 1, |z - y| - 1/2 beyond: outliers have a constant gradient.
    """

    kind = "regression"

    def value(self, logits: Any, labels: Any) -> Any:
        distance = ops.abs(logits - labels)
        near = ops.minimum(distance, 1.0)
        return near * (distance - 0.5 * near)

    def start(self, labels: np.ndarray, weights: np.ndarray) -> Start:
        median, distance = median_and_deviation(labels, weights)
        return Start((median,), (distance,))

    def prediction(self, logits: Any) -> Any:
        return logits
