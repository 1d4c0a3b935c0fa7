"""Gradients of a training step with a GradientCombiner."""

from __future__ import annotations

import dataclasses
from typing import Any

import tensorflow as tf

from models.balancing.evidence import Evidence
from models.training import replicas
from models.training.combined_at_features import combined_at_features
from models.training.gradients import flat, gradients


def combined_gradients(
    tape: tf.GradientTape,
    model: Any,
    evidence: Evidence,
    over: list[Any],
    *,
    rows: list[Any],
    encoded: list[Any],
    outputs: list[Any],
    weighted: list[Any],
    extra: Any,
    scale: Any,
) -> tuple[list[Any], list[Any], list[Any], Any]:
    """Gradients of all variables and of the rows, combined at the place that the balancer's `over` names.

    With shared variables, they are combined for these and summed over tasks for the others and the rows: one backward pass per
    task through the network, down to the encoded features, then one pass for their sum through the encoder. At the encoded
    features: `combined_at_features`.

    Args:
        tape: persistent tape that watched the rows.
        model: the MultiTaskModel, with a GradientCombiner.
        evidence: evidence of the batch, without these gradients.
        over: the variables that the tasks share, or the tensors that the architecture reads.
        rows: the gathered rows of each fused table.
        encoded: (batch, dim), and all other tensors of the rows that the network reads.
        outputs: logits of each task.
        weighted: loss of each task, a scalar.
        extra: regularizers, a scalar.
        scale: loss scale of `weighted`, for half precision.

    Returns:
        The gradient of each variable, the gradient of the rows of each table, one gradient per task to check for
        finite values, and the gradients of the tasks that were combined, (task, number); None without shared variables.
    """
    if model.balancer.over == "encoded":
        return combined_at_features(tape, model, evidence, over, rows=rows, weighted=weighted, extra=extra, scale=scale)
    shared, variables = over, model.trainable_variables
    shared_ids = {id(variable) for variable in shared}
    own = [variable for variable in variables if id(variable) not in shared_ids]
    by_task = [
        gradients(tape, loss, shared, own, encoded, [output]) for loss, output in zip(weighted, outputs, strict=True)
    ]
    of_shared, of_own, of_encoded, of_outputs = zip(*by_task, strict=True)
    gradient_of = {
        id(variable): tf.add_n(its_gradients)
        for variable, its_gradients in zip(own, zip(*of_own, strict=True), strict=True)
    }
    (of_rows,) = gradients(tape, encoded, rows, seed=[tf.add_n(each) for each in zip(*of_encoded, strict=True)])
    observed, of_tasks = [gradient for (gradient,) in of_outputs], None
    if shared:
        observed = [flat(its_gradients) for its_gradients in of_shared]  # (parameter,) for each task
        of_tasks = replicas.mean(tf.stack(observed)) / scale
        combined = model.balancer.combine(dataclasses.replace(evidence, gradients=of_tasks)) * scale
        split = tf.split(combined, [int(variable.value.shape.num_elements()) for variable in shared])
        gradient_of |= {
            id(variable): tf.reshape(part, variable.shape) for variable, part in zip(shared, split, strict=True)
        }
    more, more_of_rows = gradients(tape, extra, variables, rows)
    dense = [gradient_of[id(variable)] + its_more for variable, its_more in zip(variables, more, strict=True)]
    return dense, [one + its_more for one, its_more in zip(of_rows, more_of_rows, strict=True)], observed, of_tasks
