"""AbsoluteError: the loss of a median."""

from __future__ import annotations

from typing import Any

from keras import ops

from models.losses.base import Loss


class AbsoluteError(Loss):
    """The distance to the label: for the median, which a few extreme labels do not move, and which is 0 where most labels are.

    |z - y|.
    """

    kind = "regression"

    def value(self, logits: Any, labels: Any) -> Any:
        return ops.abs(logits - labels)

    def prediction(self, logits: Any) -> Any:
        return logits
