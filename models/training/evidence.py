"""Computes the evidence of a training step for a balancer."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from models.balancing.evidence import Evidence
from models.training import replicas
from models.training.gradients import flat, gradients


def evidence_of(
    losses: list[Any], weights: Any, step: Any, tape: tf.GradientTape, over: list[Any], scale: Any
) -> Evidence:
    """The evidence of a batch, with the gradients of the losses if `over` is not empty.

    Args:
        losses: one scalar per task, over the whole batch.
        weights: (example, task), of this replica's part of the batch.
        step: number of the training step.
        tape: tape that recorded the losses; persistent if `over` is not empty. It does not record this function.
        over: what the gradients are of: variables, or tensors of this replica's examples.
        scale: loss scale that prevents underflow in half precision. The returned gradients are unscaled.
    """
    whole = replicas.mean if all(isinstance(one, keras.Variable) for one in over) else replicas.of_examples
    with tape.stop_recording():
        each = [flat(gradients(tape, loss, over, seed=scale)[0]) for loss in losses] if over else []
        return Evidence(
            losses=tf.stack(losses),
            observed=replicas.any_of(tf.reduce_any(weights > 0, axis=0)),
            gradients=whole(tf.stack(each)) / scale if each else None,
            step=step,
        )
