"""DCMT: trains a conditioned task with a counterfactual twin over all impressions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from keras import ops

from models.losses.base import Loss
from models.objectives.base import (
    Given,
    Objective,
    TaskBatch,
    inverse_propensity,
    mean_one,
    own_values,
    with_entire_space,
)

if TYPE_CHECKING:
    from models.recipe.option_types import InnerShare, Strength


class DCMT(Objective):
    """Ties the task to a twin that learns the opposite label of what was not clicked; suits clicks that say much about the order.

    With o = clicked, p = the predicted click probability (constant here, within [`clip`, 1 - `clip`]), y = sigmoid(z) the prediction,
    y* = sigmoid(tower) that of the twin, d = the task's loss, d* = the loss of the twin against the label 1:

        value = w d + w* d* + prior |1 - y - y*| + global_weight (cross-entropy of ESMM)
        w = o / p,  w* = (1 - o) / (1 - p), each scaled to a mean of 1 over the impressions of a batch (of a replica's part)

    What was not clicked has the counterfactual label 1 - 0 = 1, and only the prior passes that on to the task. With a large prior, y
    falls where nobody clicks. The history has `effective_share_of_<task>` of the weights w.

    Zhu, Zhong, Yang, Li, Yu, Zhang, Zhou, Chen, Wu, Liu, Wang, DCMT: A Direct Entire-Space Causal Multi-Task Framework for Post-Click
    Conversion Estimation, ICDE 2023 (https://arxiv.org/abs/2302.06141). Deviation: the twin reads what the last layers of all served
    tasks read, not only those of the task.

    Args:
        prior: weight of the distance between y + y* and 1.
        clip: smallest propensity to be clicked, and not to be.
        global_weight: weight of the cross-entropy of ESMM. 0: without.
    """

    def __init__(self, *, prior: Strength = 0.001, clip: InnerShare = 0.01, global_weight: Strength = 1.0) -> None:
        self.prior, self.clip, self.global_weight = prior, clip, global_weight
        self.towers = {"counterfactual": -1}

    def importance(self, given: Given) -> Any:
        return inverse_propensity(given, self.clip, normalized=True)

    def values(self, batch: TaskBatch, loss: Loss) -> Any:
        twin, given = batch.towers["counterfactual"], batch.given
        propensity = ops.exp(ops.minimum(given.log_propensity, ops.log(1.0 - self.clip)))
        weights = ops.stop_gradient(mean_one(ops.where(given.reached, 0.0, 1.0 / (1.0 - propensity)), given.weights))
        apart = ops.abs(1.0 - ops.sigmoid(batch.logits) - ops.sigmoid(twin))
        values = self.importance(given) * own_values(batch, loss) + weights * ops.softplus(-twin) + self.prior * apart
        return with_entire_space(values, batch, self.global_weight)
