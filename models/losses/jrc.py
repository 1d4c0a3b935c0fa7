"""JRC: a probability that also ranks the examples of a group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops

from models.losses.base import Start, log_odds
from models.losses.group_loss import GroupLoss, pieces, sums_of

if TYPE_CHECKING:
    from models.recipe.option_types import Share


class JRC(GroupLoss):
    """Cross-entropy over the classes and over the examples of a group; predicts a probability and orders the examples of a request.

    The logits are (z_0, z_1), one per class. With the group G of example i, the weights w and y_i in {0, 1}:

        calibration_i = -log( exp(z_(i,y_i)) / (exp(z_(i,0)) + exp(z_(i,1))) )
        ranking_i = -log( w_i exp(z_(i,y_i)) / sum_(j in G) w_j exp(z_(j,y_i)) )
        value_i = share calibration_i + (1 - share) ranking_i
        prediction_i = sigmoid(z_(i,1) - z_(i,0))

    A label between 0 and 1 takes that share of both classes. Both terms are least, in expectation over independent labels, at
    z_(i,1) = log p_i and z_(i,0) = log(1 - p_i), so the prediction stays a probability. An example that is alone in its group
    has a ranking term of 0. A group with one class keeps its ranking term, as in the paper: without it, the predictions would move.

    Sheng, Gao, Cheng, Yang, Han, Deng, Jiang, Xu, Zheng, Joint Optimization of Ranking and Calibration with Contextualized Hybrid
    Model, KDD 2023 (https://arxiv.org/abs/2208.06164). Deviation: the paper has no weights. An example of weight w counts as w
    copies of it would, up to a constant.

    Args:
        share: part of the calibration term, the paper's alpha.
    """

    kind = "binary"
    outputs = 2
    labels = "0 or 1, or a share between them"

    def __init__(self, *, share: Share = 0.5) -> None:
        self.share = share

    def value(self, logits: Any, labels: Any) -> Any:
        odds = logits[:, 1] - logits[:, 0]
        return self.share * (labels * ops.softplus(-odds) + (1.0 - labels) * ops.softplus(odds))

    def group_value(self, logits: Any, labels: Any, weights: Any, groups: Any) -> Any:
        classes = ops.stack([1.0 - labels, labels], axis=1)
        piece = pieces(groups, weights)
        observed = ops.expand_dims(weights > 0, 1)
        counted = logits + ops.log(ops.where(observed, ops.expand_dims(weights, 1), 1.0))
        rows = ops.shape(labels)[0]
        largest = ops.segment_max(ops.stop_gradient(counted), piece, num_segments=rows)
        counted -= ops.take(largest, piece, axis=0)
        total = sums_of(ops.where(observed, ops.exp(counted), 0.0), piece)
        ranking = ops.sum(classes * (ops.log(ops.where(observed, total, 1.0)) - counted), axis=1)
        return self.value(logits, labels) + (1.0 - self.share) * ranking

    def start(self, labels: np.ndarray, weights: np.ndarray) -> Start:
        odds = log_odds(labels, weights)
        return Start((float(-np.logaddexp(0.0, odds)), float(-np.logaddexp(0.0, -odds))), (1.0, 1.0))

    def prediction(self, logits: Any) -> Any:
        return ops.sigmoid(logits[..., 1] - logits[..., 0])
