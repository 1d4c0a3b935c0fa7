"""SquaredError: predicts a mean."""

from __future__ import annotations

from typing import Any

from keras import ops

from models.losses.base import Loss


class SquaredError(Loss):
    """Squared error; predicts the mean of amounts within one order of magnitude.

    (z - y)^2.
    """

    kind = "regression"

    def value(self, logits: Any, labels: Any) -> Any:
        return ops.square(logits - labels)

    def prediction(self, logits: Any) -> Any:
        return logits
