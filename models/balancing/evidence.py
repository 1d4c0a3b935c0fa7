"""Evidence: the input of a balancer in a step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Losses and gradients of one batch, in the order of the tasks. With several replicas, of the whole batch.

    Attributes:
        losses: (task,) losses without the recipe's weights; 0 for a task without observed examples.
        observed: (task,) bool: whether the batch has an observed example of the task. A loss of 0 does not imply this.
        gradients: (task, number), concatenated over what the balancer's `over` names, variables or encoded features of all
            examples: of L_t for a Weighting, and of w_t L_t with the recipe's weights w for a GradientCombiner. None if `over` is
            None, or if the architecture has no such variables.
        step: number of the training step, from 0.
    """

    losses: Any
    observed: Any
    gradients: Any = None
    step: Any = 0
