"""Focal: a binary loss that easy examples hardly count in, with a calibrated prediction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from keras import ops
from scipy import optimize

from models.losses.base import Loss, Start, log_odds

if TYPE_CHECKING:
    from models.recipe.option_types import Focus


class Focal(Loss):
    """Negative log likelihood in which examples that are predicted well count little; predicts the probability of a rare outcome.

    -y (1 - q)^gamma log q - (1 - y) q^gamma log(1 - q) with q = sigmoid(z). The focus gamma of 0 gives `binary_crossentropy`.

    q itself is no probability: the loss of a constant is least at a q that is nearer to 1/2 than the share p of positives,
    for gamma > 0. There

        log(p / (1 - p)) = (1 + gamma) z + log(1 + gamma r(-z)) - log(1 + gamma r(z)),   r(z) = exp(z) softplus(-z)

    The prediction is this p, which rises with z. It is the map Psi of Charoenphakdee, Vongkulbhisal, Chairatanakul, Sugiyama, On
    Focal Loss for Class-Posterior Probability Estimation: A Theoretical Perspective, CVPR 2021 (https://arxiv.org/abs/2011.09172),
    for two classes and in logits.

    Lin, Goyal, Girshick, He, Dollar, Focal Loss for Dense Object Detection, 2017 (https://arxiv.org/abs/1708.02002).
    Deviation: without the paper's class weight alpha, which would move all predictions.

    Args:
        gamma: how much less examples count that are predicted well.
    """

    kind = "binary"
    labels = "0 or 1, or a share between them"
    linear = True
    log_odds_if: ClassVar[Mapping[str, float]] = {"gamma": 0.0}

    def __init__(self, *, gamma: Focus = 2.0) -> None:
        self.gamma = gamma

    def value(self, logits: Any, labels: Any) -> Any:
        positive, negative = ops.softplus(-logits), ops.softplus(logits)  # -log q, -log(1 - q)
        return (
            labels * ops.exp(-self.gamma * negative) * positive
            + (1.0 - labels) * ops.exp(-self.gamma * positive) * negative
        )

    def start(self, labels: np.ndarray, weights: np.ndarray) -> Start:
        odds = log_odds(labels, weights)
        limit = abs(odds) + np.log1p(self.gamma)

        def excess(z: float) -> float:
            ratios = np.exp([-z, z]) * np.logaddexp(0.0, [z, -z])
            below, above = np.log1p(self.gamma * ratios)
            return float((1.0 + self.gamma) * z + below - above - odds)

        return Start((float(optimize.brentq(excess, -limit - 1.0, limit + 1.0, xtol=1e-9)),), (1.0,))

    def prediction(self, logits: Any) -> Any:
        shift = ops.log1p(self.gamma * _ratio(-logits)) - ops.log1p(self.gamma * _ratio(logits))
        return ops.sigmoid((1.0 + self.gamma) * logits + shift)


def _ratio(logits: Any) -> Any:
    """exp(z) softplus(-z): -q log q / (1 - q), from 0 to 1. Beyond 30 both ends are reached in float32."""
    near = ops.clip(logits, -30.0, 30.0)
    return ops.exp(near) * ops.softplus(-near)
