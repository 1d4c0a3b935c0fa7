"""BinaryCrossentropy: the loss of a probability."""

from __future__ import annotations

from typing import Any

from keras import ops

from models.losses.base import Loss


class BinaryCrossentropy(Loss):
    """The negative log likelihood of what happened: for the probability of an outcome.

    -y log p - (1 - y) log(1 - p) with p = sigmoid(z), as y softplus(-z) + (1 - y) softplus(z): stable for any z.

    The usual max(z, 0) - y z + log(1 + exp(-|z|)) has a wrong gradient at z = 0, which a new model's logits are
    wherever the tower's hidden units are all off.
    """

    kind = "binary"
    labels = "0 or 1, or a share between them"

    def value(self, logits: Any, labels: Any) -> Any:
        return labels * ops.softplus(-logits) + (1.0 - labels) * ops.softplus(logits)

    def prediction(self, logits: Any) -> Any:
        return ops.sigmoid(logits)
