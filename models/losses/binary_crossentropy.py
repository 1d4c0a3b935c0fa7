"""BinaryCrossentropy: predicts a probability."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from keras import ops

from models.losses.base import Loss, Start, log_odds

if TYPE_CHECKING:
    from models.recipe.option_types import Smoothing


class BinaryCrossentropy(Loss):
    """Negative log likelihood; predicts the probability of an outcome.

    -y log p - (1 - y) log(1 - p) with p = sigmoid(z), computed as y softplus(-z) + (1 - y) softplus(z): stable for any z.

    The usual max(z, 0) - y z + log(1 + exp(-|z|)) has a wrong gradient at z = 0. A new model's logits are 0 if all
    hidden units of the tower are inactive.

    With `label_smoothing` e the label is y (1 - e) + e/2, so that the logits stay finite where all labels are equal. The
    prediction takes the smoothing back: (p - e/2) / (1 - e), cut to [0, 1]. Examples that are cut have equal predictions, so
    keep e/2 well below the rate of the outcome, and below that of its opposite.

    Szegedy, Vanhoucke, Ioffe, Shlens, Wojna, Rethinking the Inception Architecture for Computer Vision, 2015
    (https://arxiv.org/abs/1512.00567). Deviation: the paper predicts the smoothed probability.

    Args:
        label_smoothing: share of the label that is replaced by 1/2.
    """

    kind = "binary"
    labels = "0 or 1, or a share between them"
    linear = True
    log_odds_if: ClassVar[Mapping[str, float]] = {"label_smoothing": 0.0}

    def __init__(self, *, label_smoothing: Smoothing = 0.0) -> None:
        self.label_smoothing = label_smoothing

    def value(self, logits: Any, labels: Any) -> Any:
        labels = labels + self.label_smoothing * (0.5 - labels)
        return labels * ops.softplus(-logits) + (1.0 - labels) * ops.softplus(logits)

    def start(self, labels: np.ndarray, weights: np.ndarray) -> Start:
        smoothed = labels + self.label_smoothing * (0.5 - labels)
        return Start((log_odds(smoothed, weights),), (1.0,))

    def prediction(self, logits: Any) -> Any:
        smoothed = ops.sigmoid(logits)
        return ops.clip((smoothed - 0.5 * self.label_smoothing) / (1.0 - self.label_smoothing), 0.0, 1.0)
