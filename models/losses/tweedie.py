"""Tweedie: predicts the mean of an amount with many zeros by one logit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops

from models.losses.base import Loss, Start

if TYPE_CHECKING:
    from models.recipe.option_types import TweediePower


class Tweedie(Loss):
    """Half the Tweedie deviance; predicts the mean of amounts that are often 0 and otherwise spread widely, with a single logit.

    With m = exp(z) and the power p between 1 and 2:

        y^(2 - p) / ((1 - p) (2 - p)) - y m^(1 - p) / (1 - p) + m^(2 - p) / (2 - p)

    The prediction is m. The variance of the labels is assumed proportional to m^p: a Poisson number of purchases whose
    amounts are gamma distributed. Near 1 the loss is that of counts (`poisson`), near 2 that of amounts above 0.

    The first term does not affect the gradient. It makes the loss non-negative with a minimum of 0, as balancers that compare
    loss values require.

    Jorgensen, Exponential Dispersion Models, Journal of the Royal Statistical Society B 49, 1987. Zhou, Qian, Yang, Tweedie
    Gradient Boosting for Extremely Unbalanced Zero-inflated Data, 2018 (https://arxiv.org/abs/1811.10192).

    Args:
        power: exponent of the mean in the variance.
    """

    kind = "regression"
    labels = "0 or more, such as spending"
    at_least = 0.0
    linear = True

    def __init__(self, *, power: TweediePower = 1.5) -> None:
        self.power = power

    def value(self, logits: Any, labels: Any) -> Any:
        a, b = 1.0 - self.power, 2.0 - self.power
        return ops.power(labels, b) / (a * b) - labels * ops.exp(a * logits) / a + ops.exp(b * logits) / b

    def start(self, labels: np.ndarray, weights: np.ndarray) -> Start:
        # Half a unit in all, if every amount is 0.
        mean = np.average(labels, weights=weights) or 0.5 / len(labels)
        return Start((float(np.log(mean)),), (1.0,))

    def prediction(self, logits: Any) -> Any:
        return ops.exp(logits)
