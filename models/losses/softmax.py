"""Softmax: classifies a number of few values, such as stars, and predicts its mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops

from models.losses.base import Loss, Start

if TYPE_CHECKING:
    from models.recipe.option_types import Ascending


class Softmax(Loss):
    """Cross-entropy of the class of a number with few values; predicts its mean, such as stars with many 1 and 5 and few between.

    With the classes c_1 < ... < c_k, one logit for each, and p = softmax(z):

        value = -log p_j,  c_j the label
        prediction = sum_j p_j c_j

    No order of the classes is assumed: any shares of them can be learned. Where a latent order of the grades explains them, `ordinal`
    needs fewer examples. A label that is none of the classes counts as the nearest; `EventLogs` refuses it before.

    For classes that are no numbers, such as the category of the next purchase, the mean says nothing: declare one binary task for
    each class, with the class in `label.positive`. As the loss of an adversarial task, whose prediction nobody reads, it hides
    which of several classes an example has, if the classes are coded as numbers.

    Args:
        classes: the possible labels.
    """

    kind = "regression"
    outputs = 5
    labels = "one of the option `classes`"
    one_of = "classes"

    def __init__(self, *, classes: Ascending = (1.0, 2.0, 3.0, 4.0, 5.0)) -> None:
        self.classes = np.array(classes, np.float32)
        self.outputs = len(self.classes)

    def value(self, logits: Any, labels: Any) -> Any:
        nearest = ops.argmin(ops.abs(ops.expand_dims(labels, -1) - self.classes), axis=-1)  # (batch,)
        chosen = ops.one_hot(nearest, self.outputs, dtype="float32")
        return -ops.sum(chosen * ops.log_softmax(logits, axis=-1), axis=-1)

    def start(self, labels: np.ndarray, weights: np.ndarray) -> Start:
        # Half an example of each class is added, so that no class is impossible.
        nearest = np.abs(labels[:, None] - self.classes).argmin(axis=1)
        counts = 0.5 + np.bincount(nearest, weights * (len(weights) / weights.sum()), self.outputs)
        return Start(tuple(map(float, np.log(counts / counts.sum()))), (1.0,) * self.outputs)

    def prediction(self, logits: Any) -> Any:
        return ops.sum(ops.softmax(logits, axis=-1) * self.classes, axis=-1)
