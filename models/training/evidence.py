"""Computes the evidence of a training step for a balancer."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from models.balancing.evidence import Evidence
from models.training import replicas
from models.training.gradients import flat, gradients


def evidence_of(
    losses: list[Any], weights: Any, step: Any, tape: tf.GradientTape, over: list[Any], scale: Any
) -> Evidence:
    """The evidence of a batch, with the gradients of the losses if `over` has variables.

    Args:
        losses: one scalar per task, over the whole batch.
        weights: (example, task), of this replica's part of the batch.
        step: number of the training step.
        tape: tape that recorded the losses; persistent if `over` has variables. It does not record this function.
        over: variables of the gradients.
        scale: loss scale that prevents underflow in half precision. The returned gradients are unscaled.
    """
    with tape.stop_recording():
        each = [flat(gradients(tape, loss, over, seed=scale)[0]) for loss in losses] if over else []
        return Evidence(
            losses=tf.stack(losses),
            observed=replicas.any_of(tf.reduce_any(weights > 0, axis=0)),
            gradients=replicas.mean(tf.stack(each)) / scale if each else None,
            step=step,
        )
