"""CREAD: predicts the mean of long-tailed times by classification over thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops

from models.losses.adaptive_grid import adaptive_grid
from models.losses.base import Loss, Start, log_odds

if TYPE_CHECKING:
    from models.recipe.option_types import Ascending, GridSkew, GridSteps


class CREAD(Loss):
    """Classification over thresholds; predicts the mean of long-tailed amounts up to a limit, such as watch time.

    With the thresholds t_0 < ... < t_M and p_m = sigmoid(z_m), one logit for each step from t_m to t_(m+1):

        s_m = (y - t_m) / (t_(m+1) - t_m), cut to [0, 1]
        value = sum_m -s_m log p_m - (1 - s_m) log(1 - p_m)
        prediction = t_0 + sum_m p_m (t_(m+1) - t_m)

    The prediction is the mean of y cut to [t_0, t_M]: choose the last threshold so high that few labels are above it. Thresholds
    at quantiles of the labels let each logit learn from many examples; narrower steps at the end keep the tail apart. With the option
    `steps`, the thresholds are found from the train labels by the paper's error-adaptive discretization:

        t_m = Psi^-1((1 - exp(-alpha m / M)) / (1 - exp(-alpha))),  Psi the distribution of the labels

    `models.losses.adaptive_grid` has the cases of equal labels. The history of the training and the model have the thresholds.

    Sun, Ding, Chen, Chen, Wang, Zhan, Wang, CREAD: A Classification-Restoration Framework with Error Adaptive Discretization for
    Watch Time Prediction in Video Recommender Systems, AAAI 2024 (https://arxiv.org/abs/2401.07521). Deviations: a step that y
    reaches into has the share s_m as label instead of 0 or 1, so that the prediction is not rounded to a threshold. Only the
    paper's classification loss is there: its restoration loss, a Huber loss of the prediction, would move it away from the mean,
    and its penalty of probabilities that rise with the threshold is 0 for the best constant.

    Args:
        thresholds: limits of the steps, in the unit of the label.
        steps: number of steps between thresholds that are found from the train labels, in place of `thresholds`. 0: these.
        alpha: 0 gives each step the same number of labels, more makes the steps of large labels narrower.

    Raises:
        ValueError: a value or prediction before the thresholds are found.
    """

    kind = "regression"
    outputs = 9
    labels = "any number; cut to the first and last of the option `thresholds`"

    def __init__(
        self,
        *,
        thresholds: Ascending = (0.0, 3.0, 7.0, 15.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0),
        steps: GridSteps = 0,
        alpha: GridSkew = 3.0,
    ) -> None:
        self.steps = steps
        self.alpha = alpha
        self._thresholds = None if steps else np.array(thresholds, np.float32)
        self.outputs = steps or len(thresholds) - 1

    @property
    def thresholds(self) -> np.ndarray:
        """(M + 1,) float32."""
        if self._thresholds is None:
            raise ValueError("CREAD: thresholds by `steps` are not found yet; make the loss of `CREAD.options_from`.")
        return self._thresholds

    @classmethod
    def options_from(cls, options: Mapping[str, Any], labels: np.ndarray, weights: np.ndarray) -> Mapping[str, Any]:
        """With `steps`, the thresholds that are found; else the same."""
        loss = cls(**options)
        return {"thresholds": adaptive_grid(labels, weights, loss.steps, loss.alpha)} if loss.steps else options

    def value(self, logits: Any, labels: Any) -> Any:
        steps = np.diff(self.thresholds)
        shares = ops.clip((ops.expand_dims(labels, -1) - self.thresholds[:-1]) / steps, 0.0, 1.0)  # (batch, M)
        return ops.sum(shares * ops.softplus(-logits) + (1.0 - shares) * ops.softplus(logits), axis=1)

    def start(self, labels: np.ndarray, weights: np.ndarray) -> Start:
        shares = np.clip((labels[:, None] - self.thresholds[:-1]) / np.diff(self.thresholds), 0.0, 1.0)
        return Start(tuple(log_odds(share, weights) for share in shares.T), (1.0,) * self.outputs)

    def prediction(self, logits: Any) -> Any:
        return self.thresholds[0] + ops.sum(ops.sigmoid(logits) * np.diff(self.thresholds), axis=1)
