"""Evidence: all that a balancer may look at in a step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What one batch says about each task, in the order of the tasks; under several replicas, of the whole batch.

    Attributes:
        losses: (task,) without the recipe's weights; 0 where nothing was observed.
        observed: (task,) bool: whether the batch has an observed example of the task. A loss of 0 does not say so.
        gradients: (task, parameter), of the variables that the balancer's `over` names, one after the other: of L_t
            for a Weighting, whose weights are still to come; of w_t L_t, w the recipe's weights, for a
            GradientCombiner. None where `over` is None, or where the architecture has no such variables.
        step: number of the training step, from 0.
    """

    losses: Any
    observed: Any
    gradients: Any = None
    step: Any = 0
