"""What a balancer is shown of a training step."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from models.balancing.evidence import Evidence
from models.training import replicas
from models.training.gradients import flat, gradients


def evidence_of(
    losses: list[Any], weights: Any, step: Any, tape: tf.GradientTape, over: list[Any], scale: Any
) -> Evidence:
    """The evidence of a batch, the gradients of the losses among it if `over` has variables.

    Args:
        losses: a scalar for each task, of the whole batch.
        weights: (example, task), of this replica's part of the batch.
        step: number of the training step.
        tape: recorded the losses; it records none of this, and is persistent if `over` has variables.
        over: the variables that the gradients are of.
        scale: keeps small gradients from vanishing on their way in half precision, and is taken out again.
    """
    with tape.stop_recording():
        each = [flat(gradients(tape, loss, over, seed=scale)[0]) for loss in losses] if over else []
        return Evidence(
            losses=tf.stack(losses),
            observed=replicas.any_of(tf.reduce_any(weights > 0, axis=0)),
            gradients=replicas.mean(tf.stack(each)) / scale if each else None,
            step=step,
        )
