"""ESCM2: trains a conditioned task with inverse propensities, or doubly robust."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from keras import ops

from models.losses.base import Loss
from models.objectives.base import Given, Objective, TaskBatch, inverse_propensity, own_values, with_entire_space

if TYPE_CHECKING:
    from models.recipe.option_types import InnerShare, Strength


class ESCM2(Objective):
    """Weighs clicked examples by inverse propensity, or imputes the others; suits clicks that select what a small network cannot fit.

    With o = clicked, p = the predicted click probability (constant here, and at least `clip`), d = the task's own loss:

        ipw:  value = o d / p
        dr:   value = e + o (d - e) / p + o (d - e)^2 / p

    plus `global_weight` times the cross-entropy of ESMM. In `dr`, e is the loss against the label r = sigmoid(tower) of a network of the
    objective's own: in the first two terms r is constant, in the third the task's network is, so that the tower learns e to be d.

    Weights of clicked examples grow as 1 / p: the history has `effective_share_of_<task>`, the share of the clicked examples that as
    noisy an estimate with equal weights would need. Wang, Chang, Liu, Huang, Chen, Yu, Li, Chu, ESCM2: Entire Space Counterfactual
    Multi-Task Model for Post-Click Conversion Rate Estimation, SIGIR 2022 (https://arxiv.org/abs/2204.05125). Deviation: the paper's
    tower predicts e itself, and then the gradient of the task's network is that of `ipw`. Here the tower predicts the label, as in Wang,
    Zhang, Sun, Qi, Doubly Robust Joint Learning for Recommendation on Data Missing Not at Random, ICML 2019
    (https://proceedings.mlr.press/v97/wang19n.html), so that the examples without a click train the task's network, too.

    Args:
        risk: the estimate of the task's loss over all impressions.
        clip: smallest propensity.
        normalized: scale the weights 1 / p so that their mean over the impressions of a batch (of a replica's part) is 1. Less noise, a
            bias that falls with the size of the batch.
        global_weight: weight of the cross-entropy of ESMM. 0: without.
    """

    def __init__(
        self,
        *,
        risk: Literal["ipw", "dr"] = "ipw",
        clip: InnerShare = 0.01,
        normalized: bool = False,
        global_weight: Strength = 0.0,
    ) -> None:
        self.risk, self.clip, self.normalized, self.global_weight = risk, clip, normalized, global_weight
        self.towers = {"imputed": 1} if risk == "dr" else {}

    def importance(self, given: Given) -> Any:
        return inverse_propensity(given, self.clip, self.normalized)

    def values(self, batch: TaskBatch, loss: Loss) -> Any:
        weights, own = self.importance(batch.given), own_values(batch, loss)
        values = weights * own
        if self.risk == "dr":
            label = ops.sigmoid(batch.towers["imputed"])
            imputed = loss.value(batch.logits, ops.stop_gradient(label))
            of_tower = loss.value(ops.stop_gradient(batch.logits), label)
            values += imputed - weights * imputed + weights * ops.square(ops.stop_gradient(own) - of_tower)
        return with_entire_space(values, batch, self.global_weight)
